"""The table of regions: rows as they were measured, and what is trusted over time."""

import csv

import numpy as np
import pytest

from lib.metrics.regions import Measurement
from segmentor.prediction.region_table import RegionTable

NAMES = ["background", "nose"]


def measured(name, mean, valid=True):
    return Measurement(name, 50, mean, 0.1, 30.0, 31.0, 32.0, 33.0, 34.0, 5.125, 7.0, 0.98765, valid)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(folder, temperatures, fps=10.0, valid=None):
    with RegionTable(folder, NAMES, fps) as table:
        for index, temperature in enumerate(temperatures):
            good = valid is None or bool(valid[index])
            table.add(f"f{index}", [measured(name, temperature, good) for name in ("nose", "nostrils", "nose_tip")])
    table.summarise()


def breath(count=400):
    return 33 + 0.2 * np.sin(2 * np.pi * 0.25 * np.arange(count) / 10)


def test_numbers_are_rounded_below_what_a_camera_tells_and_empty_where_there_are_none(tmp_path):
    with RegionTable(tmp_path, NAMES, None) as table:
        table.add("a", [measured("nose", 33.123456), Measurement("nostrils", 0)])
    first, second = rows_of(tmp_path / "regions.csv")
    assert (first["mean"], first["centroid_x"], first["confidence"], first["valid"]) == (
        "33.1235",
        "5.12",
        "0.9877",
        "1",
    )
    assert [value for value in second.values() if value] == ["a", "nostrils", "0", "0"]


def test_measurements_that_are_not_valid_are_gaps_in_figures_and_breathing(tmp_path):
    temperatures, valid = breath(), np.ones(400, bool)
    temperatures[100:140], valid[100:140] = 44.0, False
    write(tmp_path, temperatures, valid=valid)
    rows = rows_of(tmp_path / "breathing.csv")
    assert [row["nostrils"] == "" for row in rows] == (~valid).tolist()
    assert all(row["band_passed"] for row in rows)
    assert [float(row["mean"]) for row in rows_of(tmp_path / "regions.csv")][300:420] == [44.0] * 120


@pytest.mark.parametrize(
    ("count", "fps", "files"),
    [
        (400, 10.0, {"regions.csv", "regions.png", "breathing.csv", "breathing.json", "breathing.png"}),
        (400, None, {"regions.csv", "regions.png"}),
        (200, 10.0, {"regions.csv", "regions.png"}),
        (1, 10.0, {"regions.csv"}),
    ],
)
def test_files_are_those_that_there_is_something_to_say_in(count, fps, files, tmp_path):
    write(tmp_path, breath(count), fps)
    assert {path.name for path in tmp_path.iterdir()} == files


def add_and_fail(folder, *names):
    with RegionTable(folder, NAMES, None) as table:
        for name in names:
            table.add(name, [measured("nose", 33.0)])
        raise RuntimeError


def test_after_an_error_the_table_has_what_was_added(tmp_path):
    with pytest.raises(RuntimeError):
        add_and_fail(tmp_path / "none")
    assert not list((tmp_path / "none").iterdir())
    with pytest.raises(RuntimeError):
        add_and_fail(tmp_path / "some", "a", "b")
    lines = (tmp_path / "some/regions.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["frame", "a", "b"]


def test_the_time_of_missing_frames_passes(tmp_path):
    with RegionTable(tmp_path, NAMES, 10.0) as table:
        for position in (1, 2, 5):
            table.add(f"f{position}", [measured("nose", 33.0)], position)
    table.summarise()
    lines = (tmp_path / "regions.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [["f1", "0.1000"], ["f2", "0.2000"], ["f5", "0.5000"]]
