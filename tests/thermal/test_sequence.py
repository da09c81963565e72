"""Sequences: which frames, in what order, under what names; and no more memory for more of them."""

import io
import logging
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from lib.thermal import Reading, open_sequence, read_thermal
from lib.utils.errors import ConfigError, DataError
from tests.thermal.files import FORMATS, HEIGHT, WIDTH, centikelvin, encoded, npy, npz, scene, tiff, video


def names(sequence):
    return [name for name, _ in sequence]


def test_a_file_of_one_frame_is_named_after_it(tmp_path):
    np.save(tmp_path / "face.npy", scene())
    sequence = open_sequence(tmp_path / "face.npy")
    assert (sequence.length, sequence.fps) == (1, None)
    [(name, frame)] = sequence
    assert name == "face"
    assert (frame.values == scene()).all()
    assert names(sequence) == ["face"], "every iteration begins anew"


STACK = [scene(seed) for seed in range(20)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("stack.npy", npy(np.stack(STACK))),
        ("stack.npy", npy(np.asfortranarray(np.stack(STACK)))),
        ("stack.npy", npy(np.stack(STACK)[..., None])),
        ("stack.npz", npz(frames=np.stack(STACK), time=np.arange(20))),
        ("stack.tif", tiff(STACK)),
        ("stack.tif", tiff(STACK, big=True)),
        ("stack.bin", b"".join(np.round((frame + 273.15) / 0.04).astype("<u2").tobytes() for frame in STACK)),
    ],
    ids=["npy", "Fortran order", "with a channel", "npz", "tiff", "BigTIFF", "bin"],
)
def test_a_file_of_many_frames_is_a_sequence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    sequence = open_sequence(tmp_path / name, Reading(raw_size=(WIDTH, HEIGHT)))
    assert sequence.length == len(STACK)
    assert sequence.fps is None
    found = dict(sequence)
    assert list(found) == [f"stack_{index:06d}" for index in range(len(STACK))]
    for frame, celsius in zip(found.values(), STACK, strict=True):
        assert np.abs(frame.values - celsius).max() <= 0.021


@pytest.mark.parametrize(("suffix", "fourcc"), [(".avi", "MJPG"), (".mp4", "mp4v"), (".mkv", "FFV1")])
def test_a_video_brings_its_frame_rate_and_grey_levels(tmp_path, suffix, fourcc):
    levels = [20, 90, 200, 40]
    sequence = open_sequence(video(tmp_path / f"clip{suffix}", levels, fourcc, fps=12.5))
    assert (sequence.length, sequence.fps) == (4, 12.5)
    found = dict(sequence)
    assert list(found) == [f"clip_{index:06d}" for index in range(4)]
    for frame, level in zip(found.values(), levels, strict=True):
        assert not frame.radiometric
        assert frame.values.shape == (48, 64)
        assert abs(frame.values.mean() - level) < 6


def test_a_video_that_is_cut_off_gives_what_is_there_and_says_so(tmp_path, caplog):
    path = video(tmp_path / "clip.avi", [10 * index for index in range(20)])
    path.write_bytes(path.read_bytes()[: int(0.7 * path.stat().st_size)])
    with caplog.at_level(logging.WARNING, "samcl"):
        found = names(open_sequence(path))
    assert 5 <= len(found) < 20
    assert f"ends after {len(found)} of the 20 frames" in caplog.text


def test_a_video_may_be_given_temperatures(tmp_path):
    frames = dict(open_sequence(video(tmp_path / "clip.mkv", [0, 100], "FFV1"), Reading(scale=0.1, offset=20)))
    assert all(frame.radiometric for frame in frames.values())
    assert abs(frames["clip_000001"].values.mean() - 30) < 0.2


def test_names_in_other_encodings_are_read_and_kept(tmp_path, monkeypatch):
    """Names with the byte 0xFC, a u umlaut in Latin-1, as of disks of older systems."""
    fcs = Path(os.fsdecode(b"f\xfcr"))
    for index, (suffix, content, _) in enumerate(FORMATS.values()):
        (tmp_path / f"{index}{fcs}{suffix}").write_bytes(content(scene()))
    read = dict(open_sequence(tmp_path, Reading(raw_size=(WIDTH, HEIGHT))))
    assert {os.fsencode(name) for name in read} == {b"%df\xfcr" % index for index in range(len(FORMATS))}
    assert all(np.abs(frame.values - scene()).max() < 0.04 for frame in read.values())

    clip = video(tmp_path / "clip.avi", [20, 90]).rename(tmp_path / f"{fcs}.avi")
    assert [os.fsencode(name) for name in names(open_sequence(clip))] == [b"f\xfcr_000000", b"f\xfcr_000001"]

    listed = io.TextIOWrapper(io.BytesIO(os.fsencode(clip) + b"\n"), "utf-8", errors="strict")
    monkeypatch.setattr(sys, "stdin", listed)
    assert len(names(open_sequence("-"))) == 2

    (tmp_path / f"{fcs}.npy").write_bytes(b"hello")
    with pytest.raises(DataError, match="\udcfc"):
        open_sequence(tmp_path / f"{fcs}.npy")


def test_a_folder_is_read_in_natural_order_and_says_what_it_leaves_out(tmp_path, caplog):
    for name in ("f10", "f9", "F2", "e1", "f2b"):
        np.save(tmp_path / f"{name}.npy", scene())
    for name in (".hidden.npy", "notes.txt", "clip.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "more").mkdir()
    with caplog.at_level(logging.WARNING, "samcl"):
        sequence = open_sequence(tmp_path)
    assert (sequence.length, sequence.fps) == (5, None)
    assert names(sequence) == ["e1", "F2", "f2b", "f9", "f10"]
    assert "clip.mp4, more, notes.txt" in caplog.text
    assert "hidden" not in caplog.text


def test_a_test_folder_is_read_from_image(tmp_path):
    for folder in ("image", "label"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "image" / "a.npy", scene())
    (tmp_path / "label" / "a.png").write_bytes(encoded(".png", np.zeros((4, 4), np.uint8)))
    assert names(open_sequence(tmp_path)) == ["a"]


def test_every_format_may_stand_in_one_folder_and_no_name_comes_twice(tmp_path):
    for index, (suffix, content, _) in enumerate(FORMATS.values()):
        (tmp_path / f"same{suffix}").write_bytes(content(scene()))
        (tmp_path / f"a{index}{suffix}").write_bytes(content(scene()))
    sequence = open_sequence(tmp_path, Reading(raw_size=(WIDTH, HEIGHT)))
    found = dict(sequence)
    assert len(found) == sequence.length == len(names(sequence))
    assert {"same", "same_npy", "same_tif"} <= found.keys()
    for frame in found.values():
        assert np.abs(frame.values - scene()).max() < 0.04


def test_a_sequence_keeps_what_its_first_frame_decided(tmp_path):
    flat = np.full((HEIGHT, WIDTH), 29515, np.uint16)  # 22 deg C in centikelvin; alone it can't be told
    (tmp_path / "a.png").write_bytes(encoded(".png", centikelvin(scene())))
    (tmp_path / "b.png").write_bytes(encoded(".png", flat))
    with pytest.raises(DataError, match="--temp_preset"):
        read_thermal(tmp_path / "b.png")
    assert np.allclose(dict(open_sequence(tmp_path))["b"].values, 22)
    (tmp_path / "pages.tif").write_bytes(tiff([centikelvin(scene()), flat]))
    assert np.allclose(dict(open_sequence(tmp_path / "pages.tif"))["pages_000001"].values, 22)


def test_standard_input_names_files_and_is_read_as_it_comes(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", scene())
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "a.npy", np.stack([scene(1), scene(2)]))
    np.save(tmp_path / "b" / "a_npy.npy", scene())
    consumed = []

    def lines():
        for name in ("a.npy", "", "a.npy", "b/a.npy", "a.npy", "gone.npy"):
            consumed.append(name)
            yield f"{tmp_path / name}\n" if name else "\n"

    monkeypatch.setattr(sys, "stdin", lines())
    sequence = open_sequence("-")
    assert (sequence.length, sequence.fps) == (None, None)
    frames = iter(sequence)
    assert next(frames)[0] == "a"
    assert consumed == ["a.npy"], "no line is waited for before the frames of those before are out"
    assert [next(frames)[0] for _ in range(4)] == ["a_npy", "a_000000", "a_000001", "a_npy_2"]
    with pytest.raises(DataError, match="gone.npy"):
        next(frames)


def test_standard_input_without_lines_is_empty(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert names(open_sequence("-")) == []


def test_a_folder_with_nothing_to_read_says_what_it_expects(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"x")
    with pytest.raises(DataError, match=r"\.npy.*there are clip\.mp4"):
        open_sequence(tmp_path)


def test_stacks_in_a_folder_are_refused_by_name(tmp_path):
    np.save(tmp_path / "a.npy", np.stack(STACK))
    with pytest.raises(DataError, match=r"a\.npy: holds 20 frames.*alone"):
        list(open_sequence(tmp_path))


@pytest.mark.parametrize("name", ["gone.npy", "gone.mp4", "gone"])
def test_missing_inputs_are_found_when_opening(tmp_path, name):
    with pytest.raises(DataError, match=name):
        open_sequence(tmp_path / name)


def test_options_are_checked_when_opening(tmp_path):
    with pytest.raises(ConfigError, match="--temp_preset"):
        open_sequence("-", Reading(preset="kelvins"))


@pytest.mark.parametrize(("kind", "many"), [("npy", 10_000), ("npz", 3_000), ("tif", 1_000), ("bin", 10_000)])
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, kind, many):
    """Peak memory of reading 6 to 128 MB of frames against 100 frames of them."""
    frame = np.full((50, 64), 7300, np.uint16)
    frame[20:30] = 7650
    peaks = []
    for count in (100, many):
        path = tmp_path / f"{count}.{kind}"
        stack = np.broadcast_to(frame, (count, *frame.shape))
        if kind in ("npy", "npz"):
            celsius = np.float32(0.04) * stack - np.float32(273.15)
            path.write_bytes(npy(celsius) if kind == "npy" else npz(frames=celsius))
        else:
            path.write_bytes(stack.tobytes() if kind == "bin" else tiff([frame] * count))
        read = 0
        tracemalloc.start()
        for _, values in open_sequence(
            path, Reading("flir_tlinear_high" if kind == "tif" else None, raw_size=(64, 50))
        ):
            read += values.radiometric
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count
    assert peaks[1] < peaks[0] + 2_000_000, f"bytes: {peaks}"
