"""What a reader sees: the right number in the right place, gaps as gaps."""

import csv
import io

import pytest

from scripts.thermalFaceDB.tables.plan import TABLES
from scripts.thermalFaceDB.tables.render import (
    Results,
    markdown,
    picture,
    read_cells,
    write_cells,
    write_csv,
    write_table,
)

SCORES = {
    "validation": {
        ("U", "rmi_without_tiaug"): {"mIoU": {0: 80.0, 1: 82.0}, "face": {0: 60.0, 1: 65.0}},
        ("U", "rmi"): {"mIoU": {0: 81.0, 1: 85.0}},
        ("U", "samcl"): {"mIoU": {1: 84.5}},
        ("AU", "rmi"): {"mIoU": {0: 70.0, 1: 70.0}},
    },
    "unconstrained validation": {("U", "rmi"): {"mIoU": {0: 60.25, 1: 60.75}}},
}
PACES = {("U", "rmi"): {0: 0.1, 1: 0.2}}


@pytest.fixture
def results():
    failures = {"U_samcl_seed0": "no memory"}
    return Results(TABLES["ablation"], {"U": [0, 1], "AU": [0, 1]}, SCORES, PACES, ("Remarkable.",), failures)


def rows_of(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def test_markdown_has_means_deviations_and_differences(results):
    text = "\n".join(markdown(results))
    plain, unconstrained = text.split("## Unconstrained validation set")
    unconstrained, _, rest = unconstrained.partition("## IoU of each class")
    assert [row for row in rows_of(plain) if set(row[1:]) != {"-"}] == [
        ["learning strategy", "UNET", "Attention-UNET"],
        ["RMI", "81.00 ± 1.41", "-"],
        ["RMI + TiAug", "83.00 ± 2.83", "70.00 ± 0.00"],
        ["RMI + TiAug + SAM-CL", "84.50 (1)", "-"],
        ["difference", "UNET", "Attention-UNET"],
        # differences 1, 3: 2 +- 12.7062
        ["RMI + TiAug against RMI", "+2.00 [−10.71, +14.71]", "-"],
        ["RMI + TiAug + SAM-CL against RMI", "+2.50", "-"],
        ["RMI + TiAug + SAM-CL against RMI + TiAug", "−0.50", "-"],
    ]
    assert ["RMI + TiAug", "60.50 ± 0.35", "-"] in rows_of(unconstrained)
    classes, _, cost = rest.partition("## Cost")
    assert rows_of(classes)[:2] == [["learning strategy", "face"], ["RMI", "62.50"]]
    assert ["RMI + TiAug", "150", "-"] in rows_of(cost)
    assert "- Remarkable." in text
    assert "- `U_samcl_seed0`: no memory" in text


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_frames_are_named_everywhere(results, synthetic):
    results = Results(**{**vars(results), "synthetic": synthetic})
    assert ("**Synthetic frames**" in "\n".join(markdown(results))) == synthetic
    assert ("synthetic" in next(markdown(results))) == synthetic
    assert ("synthetic" in picture(results).get_suptitle()) == synthetic


def test_csv_holds_every_score_and_every_comparison(results):
    file = io.StringIO(newline="")
    write_csv(file, results)
    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert len(rows) == 2 * 2 * 8  # sets, networks, rows with SAM-CL thrice
    assert rows[1] == {
        **{"set": "validation", "network": "U", "strategy": "RMI + TiAug", "seeds": "0 1", "miou": "81.0000 85.0000"},
        **{"mean": "83.0000", "std": "2.8284", "compared_to": "RMI", "pairs": "2", "difference": "2.0000"},
        **{"interval_low": "-10.7062", "interval_high": "14.7062"},
    }
    alone = next(row for row in rows if row["strategy"].endswith("SAM-CL"))
    assert (alone["mean"], alone["std"], alone["interval_low"]) == ("84.5000", "", "")


def test_cells_have_every_score_of_every_seed(results):
    file = io.StringIO(newline="")
    write_cells(file, results)
    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert len(rows) == 11
    assert [row["percent"] for row in rows if row["score"] == "face"] == ["60.0000", "65.0000"]


def test_picture_shows_what_there_is(results):
    above, below = picture(results).axes[::2]
    assert above.get_title() == "UNET"
    assert [label.get_text() for label in above.get_yticklabels()] == [row.title for row in results.table.rows]
    assert {tuple(line.get_xdata()) for line in below.lines} >= {(2.0,), (2.5,), (-0.5,)}


def test_an_empty_table_can_be_written(tmp_path):
    empty = {name: {} for name in SCORES}
    write_table(tmp_path, Results(TABLES["strategies"], {"H_48": [0]}, empty))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.csv", "table.csv", "table.md", "table.png"]


def test_cells_are_read_as_they_were_written(results):
    file = io.StringIO()
    write_cells(file, results)
    file.seek(0)
    strings = {
        name: {
            about: {score: {str(seed): one for seed, one in seeds.items()} for score, seeds in of_cell.items()}
            for about, of_cell in of_set.items()
        }
        for name, of_set in SCORES.items()
    }
    assert read_cells(file) == strings
