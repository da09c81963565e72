"""Preparation: every good frame once, in its subject's split, as drawn; every bad one named; nothing mixed or half."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lib.datasets.landmarks import FORMATS, draw_labels, standard_groups
from lib.datasets.thermal_face_db import prepare as module
from lib.datasets.thermal_face_db.prepare import Options, prepare
from lib.datasets.thermal_face_db.raw import VAL_SUBJECTS
from lib.thermal.resize import resize_image, resize_label
from lib.utils.errors import ConfigError, DataError, OutputError
from scripts.thermalFaceDB.prepare_data import main
from tests.datasets.helpers import face_points, write_ljson, write_raw_frame
from tests.datasets.landmarks.helpers import points_of, yolo_line

SHAPE = (48, 64)
OPTIONS = Options(target_res=(16, 20), crop_res=(48, 60), val_subjects=("sub007",))
FLAGS = ["--target_res", "16", "20", "--crop_res", "48", "60", "--val_subjects", "sub007", "--workers", "1"]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file()}


def reasons(out: Path) -> dict[str, str]:
    with open(out / "skipped.csv", newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


@pytest.fixture
def raw(tmp_path) -> Path:
    """Two frames of sub001, one of sub007 and one of sub008, of both endings."""
    folder = tmp_path / "raw"
    for index, stem in enumerate(("x_sub001_a", "x_sub001_b", "x_sub007_a", "x_sub008_a")):
        write_raw_frame(folder, stem, SHAPE, ".jpg_lfb" if index % 2 else ".png_lfb", index)
    return folder


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def test_frames_are_cropped_reduced_and_split_by_subject(raw, out):
    summary = prepare(raw, out, OPTIONS)
    assert summary.written == {"train": 3, "val": 1}
    assert not summary.skipped
    stems = {"train": ("x_sub001_a", "x_sub001_b", "x_sub008_a"), "val": ("x_sub007_a",)}
    kinds = (("image", "npy"), ("label", "png"), ("ann", "ljson"))
    expected = {f"{split}/{kind}/{stem}.{end}" for split in stems for stem in stems[split] for kind, end in kinds}
    assert files(out) == expected | {"prepare.json", "skipped.csv"}
    image = np.load(raw / "x_sub007_a.png_lfb.npy").astype(np.float32)
    made = np.load(out / "val/image/x_sub007_a.npy")
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, resize_image(image[:, 2:62], (16, 20)))
    drawn = draw_labels(face_points(*SHAPE), SHAPE)[:, 2:62]
    label = cv2.imread(str(out / "val/label/x_sub007_a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(label, resize_label(drawn, (16, 20), "majority"))
    assert (out / "val/ann/x_sub007_a.ljson").read_bytes() == (raw / "x_sub007_a.png_lfb.ljson").read_bytes()


def test_the_published_validation_subjects_are_the_default():
    assert Options().val_subjects == VAL_SUBJECTS
    assert (len(VAL_SUBJECTS), VAL_SUBJECTS[0], VAL_SUBJECTS[-1]) == (16, "sub007", "sub091")


def test_processes_make_the_same_files(raw, out, tmp_path):
    prepare(raw, out, OPTIONS)
    prepare(raw, tmp_path / "parallel", OPTIONS, workers=2)
    assert files(out) == files(tmp_path / "parallel")
    for name in files(out):
        assert (out / name).read_bytes() == (tmp_path / "parallel" / name).read_bytes()


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint16, ">f4", "<u2"])
@pytest.mark.parametrize("crop", [None, (48, 64)])
def test_values_keep_their_unit_whatever_their_type(raw, out, dtype, crop):
    np.save(raw / "x_sub007_a.png_lfb.npy", np.full(SHAPE, 30, dtype))
    prepare(raw, out, Options((24, 32), crop, ("sub007",)))
    np.testing.assert_allclose(np.load(out / "val/image/x_sub007_a.npy"), np.full((24, 32), 30, np.float32), rtol=1e-6)


def test_synthetic_frames_stay_known_as_such(raw, out, tmp_path):
    prepare(raw, out, OPTIONS)
    assert not (out / "synthetic.json").exists()
    (raw / "synthetic.json").write_text('{"synthetic": true}')
    prepare(raw, tmp_path / "other", OPTIONS)
    assert (tmp_path / "other/synthetic.json").read_text() == '{"synthetic": true}'


def test_running_again_does_only_what_is_missing(raw, out):
    prepare(raw, out, OPTIONS)
    before = {name: (out / name).stat().st_mtime_ns for name in files(out) if "/" in name}
    (out / "train/label/x_sub001_b.png").unlink()
    summary = prepare(raw, out, OPTIONS)
    assert summary.written == {"train": 1}
    assert summary.kept == {"train": 2, "val": 1}
    changed = {name for name, time in before.items() if (out / name).stat().st_mtime_ns != time}
    assert {Path(name).stem for name in changed} == {"x_sub001_b"}
    assert set(before) <= files(out)


@pytest.mark.parametrize("kind", ["label", "ann", "image"])
def test_an_interrupted_frame_is_not_complete_and_is_made_later(raw, out, kind, monkeypatch):
    real, count = module.atomic_write, 0

    def interrupted(path, *args, **kwargs):
        nonlocal count
        count += Path(path).parent.name == kind
        if count == 2:
            raise KeyboardInterrupt
        return real(path, *args, **kwargs)

    monkeypatch.setattr(module, "atomic_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(raw, out, OPTIONS)
    assert len(list(out.rglob("image/*.npy"))) == 1
    monkeypatch.setattr(module, "atomic_write", real)
    summary = prepare(raw, out, OPTIONS)
    assert summary.written.total() == 3
    assert summary.kept.total() == 1
    assert not list(out.rglob("*.tmp"))


def test_a_full_disk_is_not_a_bad_frame(raw, out, monkeypatch):
    def full(path, *args, **kwargs):
        if Path(path).suffix == ".png":
            raise OSError(28, "No space left on device", str(path))
        return real(path, *args, **kwargs)

    real = module.atomic_write
    monkeypatch.setattr(module, "atomic_write", full)
    with pytest.raises(OSError, match="No space"):
        prepare(raw, out, OPTIONS)
    assert main([str(raw), str(out), *FLAGS]) == 2


@pytest.mark.parametrize(
    "other",
    [
        Options((16, 16), (48, 60), ("sub007",)),
        Options((16, 20), None, ("sub007",)),
        Options((16, 20), (48, 60), ("sub008",)),
        Options((16, 20), (48, 60), ("sub007",), "published"),
    ],
)
def test_other_options_are_not_mixed_but_replace_on_demand(raw, out, other):
    prepare(raw, out, OPTIONS)
    with pytest.raises(DataError, match="--overwrite y"):
        prepare(raw, out, other)
    assert prepare(raw, out, OPTIONS).kept.total() == 4
    assert prepare(raw, out, other, overwrite=True).written.total() == 4
    fresh = out.with_name("fresh")
    prepare(raw, fresh, other)
    assert {name: (out / name).read_bytes() for name in files(out)} == {
        name: (fresh / name).read_bytes() for name in files(fresh)
    }


def test_frames_of_unknown_origin_are_not_mixed(raw, out):
    prepare(raw, out, OPTIONS)
    (out / "prepare.json").unlink()
    for overwrite in (False, True):
        with pytest.raises(DataError, match="origin is unknown.*another OUT_DIR"):
            prepare(raw, out, OPTIONS, overwrite=overwrite)


def test_files_that_no_preparation_wrote_are_neither_replaced_nor_removed(raw, out):
    prepare(raw, out, OPTIONS)
    (out / "train/label/x_sub001_a.png").write_bytes(b"mended by hand, with as many bytes as it takes" * 20)
    (out / "train/label/mine.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"label/mine\.png, train/label/x_sub001_a\.png.*another OUT_DIR"):
        prepare(raw, out, OPTIONS, overwrite=True)
    (out / "train/label/mine.png").unlink()
    assert prepare(raw, out, OPTIONS).kept.total() == 4
    (out / "train/image/x_sub001_a.npy").unlink()
    with pytest.raises(OutputError, match=r"train/label/x_sub001_a\.png"):
        prepare(raw, out, OPTIONS)
    assert (out / "train/label/x_sub001_a.png").read_bytes().startswith(b"mended by hand")


def test_folders_of_former_versions_are_prepared_anew(raw, out):
    prepare(raw, out, OPTIONS)
    (out / ".written-prepare-0.jsonl").unlink()
    assert prepare(raw, out, OPTIONS).kept.total() == 4
    assert prepare(raw, out, OPTIONS, overwrite=True).written.total() == 4


def test_frames_are_not_prepared_into_the_raw_folder(raw):
    with pytest.raises(ConfigError, match="is read from.*OUT_DIR"):
        prepare(raw, raw, OPTIONS)


def test_tables_of_others_are_not_replaced(raw, out):
    out.mkdir()
    (out / "skipped.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"skipped\.csv"):
        prepare(raw, out, OPTIONS)
    assert [path.name for path in out.iterdir()] == ["skipped.csv"]


def test_frames_that_the_raw_database_does_not_hold_are_not_mixed_in(raw, out):
    prepare(raw, out, OPTIONS)
    shutil.copy(out / "val/image/x_sub007_a.npy", out / "train/image")
    with pytest.raises(DataError, match=r"1 frames that RAW_DIR doesn't, or not in that split: train/image/x_sub007_a"):
        prepare(raw, out, OPTIONS)
    (out / "train/image/x_sub007_a.npy").unlink()
    assert prepare(raw, out, OPTIONS).kept.total() == 4
    for path in raw.glob("x_sub001_*"):
        path.unlink()
    with pytest.raises(DataError, match=r"2 frames .*x_sub001_a.*x_sub001_b.*--overwrite y"):
        prepare(raw, out, OPTIONS)
    prepare(raw, out, OPTIONS, overwrite=True)
    assert {path.stem for path in out.rglob("*/image/*")} == {"x_sub007_a", "x_sub008_a"}


@pytest.mark.parametrize("ending", ["npy", "ljson"])
def test_a_raw_file_that_changed_is_prepared_anew(raw, out, ending):
    prepare(raw, out, OPTIONS)
    later = (out / "train/image/x_sub001_b.npy").stat().st_mtime + 10
    os.utime(raw / f"x_sub001_b.jpg_lfb.{ending}", (later, later))
    summary = prepare(raw, out, OPTIONS)
    assert summary.written == {"train": 1}
    assert summary.kept.total() == 3


@pytest.mark.parametrize("file", ["image/x_sub001_b.npy", "label/x_sub001_b.png", "ann/x_sub001_b.ljson"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_files_that_a_power_cut_left_empty_and_frames_cut_off_are_made_anew(raw, out, file, share):
    prepare(raw, out, OPTIONS)
    path = out / "train" / file
    whole = path.read_bytes()
    os.truncate(path, int(share * len(whole)))
    again = share == 0 or file.endswith("npy")
    assert prepare(raw, out, OPTIONS).written.total() == again
    assert (path.read_bytes() == whole) == again


def test_overwriting_touches_nothing_else(raw, out):
    (out / "train/image").mkdir(parents=True)
    (out / "train/image/notes.txt").write_text("keep")
    (out / "other.npy").write_text("keep")
    prepare(raw, out, OPTIONS, overwrite=True)
    assert {"train/image/notes.txt", "other.npy"} <= files(out)


def _damage_points(change):
    def damage(folder: Path, name: str) -> None:
        points = face_points(*SHAPE)
        change(points)
        write_ljson(folder / f"{name}.ljson", points)

    return damage


def _array(make):
    return lambda folder, name: np.save(folder / f"{name}.npy", make(np.load(folder / f"{name}.npy")))


def _with_nan(image):
    image[3, 4] = np.nan
    return image


FAULTS = {
    "image missing": (lambda folder, name: (folder / f"{name}.npy").unlink(), "npy: unreadable .No such file"),
    "landmarks missing": (lambda folder, name: (folder / f"{name}.ljson").unlink(), "ljson: unreadable landmarks"),
    "empty file": (lambda folder, name: (folder / f"{name}.npy").write_bytes(b""), "not a whole .npy"),
    "text": (lambda folder, name: (folder / f"{name}.npy").write_text("hello"), "not a whole .npy"),
    "cut off": (
        lambda folder, name: (folder / f"{name}.npy").write_bytes((folder / f"{name}.npy").read_bytes()[:999]),
        "not a whole .npy",
    ),
    "pickle": (
        lambda folder, name: np.save(folder / f"{name}.npy", np.array([{}], object), allow_pickle=True),
        "expected integers or floats, got object",
    ),
    "archive": (
        lambda folder, name: np.savez(open(folder / f"{name}.npy", "wb"), a=np.zeros(3)),  # noqa: SIM115
        "not a whole .npy",
    ),
    "complex": (_array(lambda image: image * 1j), "integers or floats"),
    "text values": (_array(lambda image: image.astype(str)), "integers or floats"),
    "empty array": (_array(lambda image: image[:0]), "npy"),
    "another size": (_array(lambda image: image[:-1]), "another size.*47x64.*48x64"),
    "three axes": (_array(lambda image: np.stack([image] * 3, -1)), "another size"),
    "not finite": (_array(_with_nan), "1 of 3072 values aren't finite"),
    "landmarks damaged": (lambda folder, name: (folder / f"{name}.ljson").write_text("{"), "not JSON"),
    "point outside": (_damage_points(lambda points: points.__setitem__((5, 1), 64 + 16)), "17 pixels outside"),
    "point before": (_damage_points(lambda points: points.__setitem__((5, 0), -17)), "17 pixels outside"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_frame_is_named_with_its_reason_and_the_others_are_made(raw, out, fault, capsys):
    damage, reason = FAULTS[fault]
    damage(raw, "x_sub001_b.jpg_lfb")
    assert main([str(raw), str(out), *FLAGS]) == 1
    named = reasons(out)
    assert list(named) == ["x_sub001_b"]
    assert re.search(reason, named["x_sub001_b"]), named
    assert named["x_sub001_b"] in capsys.readouterr().out
    assert {path.stem for path in out.rglob("image/*.npy")} == {"x_sub001_a", "x_sub007_a", "x_sub008_a"}
    assert main([str(raw), str(out), *FLAGS, "--skip_bad", "y"]) == 0


def test_a_mended_frame_is_no_longer_listed(raw, out):
    shutil.move(raw / "x_sub001_b.jpg_lfb.npy", raw / "away")
    assert main([str(raw), str(out), *FLAGS]) == 1
    shutil.move(raw / "away", raw / "x_sub001_b.jpg_lfb.npy")
    assert main([str(raw), str(out), *FLAGS]) == 0
    assert reasons(out) == {}


def test_points_a_little_outside_are_cut_off(raw, out):
    points = face_points(*SHAPE)
    points[5, 1] = -16
    write_ljson(raw / "x_sub001_a.png_lfb.ljson", points)
    assert not prepare(raw, out, OPTIONS).skipped


def test_the_same_stem_twice_and_names_without_subject_are_reported(raw, out):
    write_raw_frame(raw, "x_sub001_a", SHAPE, ".jpg_lfb")
    write_raw_frame(raw, "nosubject", SHAPE)
    (raw / "readme.npy").write_text("other files don't matter")
    summary = prepare(raw, out, OPTIONS)
    assert [(name, reason[:12]) for name, reason, _ in summary.skipped] == [
        ("nosubject.jpg_lfb", "no subject i"),
        ("x_sub001_a.png_lfb", "has the same"),
    ]
    assert summary.written.total() == 4


def test_a_crop_larger_than_the_frame_names_the_option(raw, out, capsys):
    assert main([str(raw), str(out), "--val_subjects", "sub007", "--workers", "1"]) == 1
    assert set(reasons(out)) == {"x_sub001_a", "x_sub001_b", "x_sub007_a", "x_sub008_a"}
    assert all("--crop_res" in reason for reason in reasons(out).values())
    assert "no frame could be prepared" in capsys.readouterr().err


def test_frames_outside_the_usual_range_are_warned_about(raw, out, capsys):
    np.save(raw / "x_sub001_a.png_lfb.npy", np.full(SHAPE, 29315, np.uint16))
    assert main([str(raw), str(out), *FLAGS]) == 0
    printed = capsys.readouterr().out
    assert "1 frames have values outside 5-50 deg C" in printed
    assert "x_sub001_a (29315.0 to 29315.0)" in printed
    assert main([str(raw), str(out), *FLAGS]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == printed.splitlines()[-1]  # also of frames prepared before


def test_a_database_without_the_validation_subjects_says_so(raw, out):
    with pytest.raises(DataError, match="sub001 sub007 sub008.*--val_subjects"):
        prepare(raw, out, Options((16, 20), None, ("sub002",)))
    assert prepare(raw, out, Options((16, 20), None, ())).written == {"train": 4}


def test_validation_subjects_may_stand_in_a_file(raw, out, tmp_path):
    (tmp_path / "subjects.txt").write_text("sub007, sub008\n")
    assert main([str(raw), str(out), *FLAGS[:6], "--val_subjects", str(tmp_path / "subjects.txt")]) == 0
    assert {path.stem for path in (out / "val/image").iterdir()} == {"x_sub007_a", "x_sub008_a"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "RAW_DIR is no folder"),
        ([".", "out"], r"no frames in RAW_DIR.*raw; is that RAW_DIR\?"),
        (["raw", "out", "--crop_res", "48"], "--crop_res: expected height and width, or none"),
        (["raw", "out", "--crop_res", "0", "5"], "--crop_res"),
        (["raw", "out", "--target_res", "-1", "5"], "--target_res"),
    ],
)
def test_wrong_arguments_end_with_status_2(raw, arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(raw.parent)
    assert main(arguments) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not Path("out").exists()


def test_unknown_ways_are_config_errors(raw, out):
    with pytest.raises(ConfigError, match="majority or published"):
        prepare(raw, out, Options(label_resize="median"))


def test_the_script_takes_paths_as_typed_from_any_folder(raw, out):
    script = Path(__file__).parents[3] / "scripts/thermalFaceDB/prepare_data.sh"
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    command = ["bash", str(script), "raw", "./out", *FLAGS[:-1], "2"]
    done = subprocess.run(command, cwd=raw.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "train: 3 frames in out/train (3 now, 0 before)" in done.stdout
    assert len(list(out.rglob("image/*.npy"))) == 4


def test_a_reader_that_goes_away_is_no_error(raw, out):
    script = Path(__file__).parents[3] / "scripts/thermalFaceDB/prepare_data.py"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, script, raw, out, *FLAGS], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert "Error" not in done.stderr
    assert done.returncode == 0
    assert len(list(out.rglob("image/*.npy"))) == 4


def test_workers_start_though_this_process_used_opencv_before(raw, out):
    """OpenCV's threads don't exist in a forked process; waiting for them would take forever."""
    script = (
        "import sys, time, cv2, numpy\n"
        "from pathlib import Path\n"
        "from lib.datasets.thermal_face_db.prepare import Options, prepare\n"
        "cv2.setNumThreads(2)\n"
        "frame = numpy.random.default_rng(0).random((2000, 2000), numpy.float32)\n"
        "cv2.resize(frame, (640, 512))\n"
        "time.sleep(1)\n"  # until OpenCV's threads sleep
        "prepare(sys.argv[1], sys.argv[2], Options((16, 20), (48, 60), ('sub007',)), workers=2)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", script, raw, out], env=environment, timeout=60, check=True)
    assert len(list(out.rglob("image/*.npy"))) == 4


@pytest.mark.parametrize("count", [68, 54])
@pytest.mark.parametrize("kind", ["pts", "yolo", "csv"])
def test_landmarks_of_other_formats_draw_the_same_labels(tmp_path, kind, count):
    """Every format's frames have the landmarks of points_of, so labels are equal whatever they came from."""
    raw, out, points = tmp_path / "raw", tmp_path / "out", points_of(count, *SHAPE)
    for stem in ("x_sub001_a", "x_sub007_a"):
        write_raw_frame(raw, stem, SHAPE)
        (raw / f"{stem}.jpg_lfb.ljson").unlink()
        rows = "\n".join(f"{x + 1} {y + 1}" for y, x in points)
        texts = {"pts": f"version: 1\nn_points: {count}\n{{\n{rows}\n}}\n", "yolo": yolo_line(points, SHAPE)}
        if kind in texts:
            (raw / f"{stem}.jpg_lfb{FORMATS[kind].ending}").write_text(texts[kind])
    header = "frame," + ",".join(f"x{index},y{index}" for index in range(count))
    row = ",".join(f"{x},{y}" for y, x in points)
    if kind == "csv":
        (raw / "landmarks.csv").write_text(f"{header}\nx_sub001_a,{row}\nx_sub007_a,{row.replace(',', ',,', 1)}\n")
    options = Options((48, 64), None, ("sub007",), landmarks=kind)
    summary = prepare(raw, out, options)
    label = cv2.imread(str(out / "train/label/x_sub001_a.png"), cv2.IMREAD_UNCHANGED)
    drawn = draw_labels(np.round(points, 6), SHAPE, standard_groups(count))
    assert (label == drawn).mean() > 0.995  # texts round what lies on the border of two pixels
    ann = out / f"train/ann/x_sub001_a{FORMATS[kind].ending}"
    assert ann.read_bytes() == FORMATS[kind].content(FORMATS[kind].path(raw, "x_sub001_a.jpg_lfb"), "x_sub001_a")
    assert [outcome.name for outcome in summary.skipped] == (["x_sub007_a"] if kind == "csv" else [])
    assert prepare(raw, out, options).written == {}
    with pytest.raises(DataError, match=f"landmarks was {kind}, now None"):
        prepare(raw, out, Options((48, 64), None, ("sub007",)))


def test_a_landmark_that_was_not_marked_skips_its_frame_by_name(raw, out):
    points = face_points(*SHAPE).tolist()
    points[12] = [None, None]
    content = {"version": 2, "labels": [], "landmarks": {"points": points}}
    (raw / "x_sub001_a.png_lfb.ljson").write_text(json.dumps(content))
    prepare(raw, out, OPTIONS)
    assert list(reasons(out)) == ["x_sub001_a"]
    assert "landmark 12 is null" in reasons(out)["x_sub001_a"]


def test_a_format_that_is_none_is_a_config_error(raw, out):
    with pytest.raises(ConfigError, match="--landmarks: expected one of ljson, pts, yolo, csv, got 'dlib'"):
        prepare(raw, out, Options(landmarks="dlib"))
