"""Reading one thermal frame of any format: its temperatures, or an error that says what to do."""

import struct
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.thermal import PRESETS, Reading, open_sequence, read_thermal
from lib.thermal.units import GUESSED
from lib.utils.errors import ConfigError, DataError
from tests.thermal.files import (
    FORMATS,
    HEIGHT,
    WIDTH,
    centikelvin,
    csv_text,
    encoded,
    flir_jpeg,
    npy,
    npz,
    scene,
    tiff,
    video,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_temperatures_that_were_written(write, name):
    suffix, content, rounding = FORMATS[name]
    celsius = scene()
    frame = read_thermal(write(f"frame{suffix}", content(celsius)), Reading(raw_size=(WIDTH, HEIGHT)))
    assert frame.radiometric
    assert frame.values.dtype == np.float32
    assert frame.values.shape == (HEIGHT, WIDTH)
    assert np.abs(frame.values - celsius).max() <= rounding + 1e-4


ROUND_TRIPS = ("npy", "npz", "bin", "csv_semicolon", "csv_comma", "tsv", "tiff_float", "tiff_double", "bigtiff", "png")


@pytest.mark.parametrize("name", ROUND_TRIPS)
@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(2, 12)),
    ends=st.tuples(st.floats(-15, 20), st.floats(26, 45)),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_frame_survives_being_written_and_read(tmp_path_factory, name, size, ends, seed):
    suffix, content, rounding = FORMATS[name]
    celsius = np.random.default_rng(seed).uniform(*ends, size).astype(np.float32)
    path = tmp_path_factory.getbasetemp() / f"round_trip{suffix}"
    path.write_bytes(content(celsius))
    # What integers mean isn't asked here: few pixels of chance make no scene.
    preset = "centikelvin" if name == "png" else None
    frame = read_thermal(path, Reading(preset=preset, raw_size=size[::-1]))
    assert frame.values.shape == size
    assert np.abs(frame.values - celsius).max() <= rounding + 1e-4


def stored_as(name):
    """A scene as 16-bit counts of a preset."""
    return np.round((scene() - PRESETS[name].offset) / PRESETS[name].scale).astype(np.uint16)


@pytest.mark.parametrize("preset", [unit.name for unit in GUESSED if unit.name in PRESETS])
def test_16_bit_counts_are_told_by_their_values_and_it_is_said(write, preset):
    path = write("frame.png", encoded(".png", stored_as(preset)))
    frame = read_thermal(path)
    assert np.abs(frame.values - scene()).max() <= PRESETS[preset].scale
    assert preset in frame.note
    assert (read_thermal(path, Reading(preset=preset)).values == frame.values).all()
    assert read_thermal(path, Reading(preset=preset)).note == ""


def test_integers_may_be_whole_degrees(write):
    frame = read_thermal(write("frame.npy", npy(np.round(scene()).astype(np.int32))))
    assert (frame.values == np.round(scene())).all()
    assert "deg C" in frame.note


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(np.full((6, 8), 30000), id="no_contrast"),
        pytest.param(np.linspace(0, 65535, 48).reshape(6, 8), id="no_unit_fits"),
    ],
)
def test_counts_of_unclear_meaning_are_refused_with_what_each_preset_gives(write, counts):
    path = write("frame.png", encoded(".png", counts.astype(np.uint16)))
    with pytest.raises(DataError, match="--temp_preset") as caught:
        read_thermal(path)
    low, high = np.percentile(counts.astype(np.uint16), (1, 99))
    for name, unit in PRESETS.items():
        assert f"{name} {unit.celsius(low):.1f} to {unit.celsius(high):.1f}" in str(caught.value)
    assert str(path) in str(caught.value)


def test_scale_and_offset_say_what_any_number_means(write):
    fahrenheit = write("frame.npy", npy(scene() * 1.8 + 32))
    frame = read_thermal(fahrenheit, Reading(scale=1 / 1.8, offset=-32 / 1.8))
    assert np.abs(frame.values - scene()).max() < 1e-4
    kelvin = write("kelvin.npy", npy(scene() + 273.15))
    assert np.abs(read_thermal(kelvin, Reading(offset=-273.15)).values - scene()).max() < 1e-4
    grey = write("grey.png", encoded(".png", np.arange(48, dtype=np.uint8).reshape(6, 8)))
    frame = read_thermal(grey, Reading(scale=0.5, offset=10))
    assert frame.radiometric
    assert frame.values[0, 3] == 11.5


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"preset": "kelvins"}, "centikelvin, decikelvin"),
        ({"preset": "centikelvin", "scale": 2.0}, "one or the other"),
        ({"scale": 0.0}, "--temp_scale"),
        ({"scale": float("nan")}, "--temp_scale"),
        ({"offset": float("inf")}, "--temp_offset"),
        ({"raw_size": (0, 5)}, "--raw_size"),
    ],
)
def test_options_that_cannot_be_are_refused(write, reading, message):
    with pytest.raises(ConfigError, match=message):
        read_thermal(write("frame.npy", npy(scene())), Reading(**reading))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(scene() + 273.15, "--temp_preset would give kelvin 1", id="kelvin"),
        pytest.param(
            (scene() + 273.15) * 25, "--temp_preset would give flir_tlinear_high 19.0 to 34.9 deg C$", id="counts"
        ),
        pytest.param(scene() - 400, "--temp_scale", id="below_absolute_zero"),
        pytest.param(np.where(scene() > 30, np.nan, scene()), r"of 768 values aren't finite", id="nan"),
        pytest.param(np.where(scene() > 30, np.inf, scene()), r"aren't finite", id="infinite"),
        pytest.param(np.where(scene() == scene().max(), -300, scene()), "can't be", id="one_below_absolute_zero"),
    ],
)
def test_floats_that_are_no_temperatures_are_refused(write, values, message):
    with pytest.raises(DataError, match=message) as caught:
        read_thermal(write("frame.npy", npy(values)))
    assert "frame.npy" in str(caught.value)


def test_a_wrong_preset_is_refused_with_the_right_one(write):
    path = write("frame.png", encoded(".png", centikelvin(scene())))
    with pytest.raises(DataError, match=r"flir_tlinear_high.*9\d\d.*would give centikelvin 1"):
        read_thermal(path, Reading(preset="flir_tlinear_high"))


def test_a_few_pixels_outside_are_kept_and_said(write):
    values = scene()
    values[3, 4] = 700
    frame = read_thermal(write("frame.npy", npy(values)))
    assert frame.values[3, 4] == 700
    assert frame.note == "1 pixels outside -60 to 400 deg C"


@pytest.mark.parametrize(
    ("name", "content", "levels"),
    [
        ("grey.png", encoded(".png", np.full((6, 8), 77, np.uint8)), 77),
        ("grey.bmp", encoded(".bmp", np.full((6, 8), 77, np.uint8)), 77),
        ("grey.jpg", encoded(".jpg", np.full((6, 8), 77, np.uint8)), 77),
        ("grey.tif", encoded(".tif", np.full((6, 8), 77, np.uint8)), 77),
        ("grey.npy", npy(np.full((6, 8), 77, np.uint8)), 77),
        # the luma of Rec. 601: 0.299 R + 0.587 G + 0.114 B
        ("colour.png", encoded(".png", np.full((6, 8, 3), (50, 100, 200), np.uint8)), 124.2),
        ("colour.tif", encoded(".tif", np.full((6, 8, 3), (50, 100, 200), np.uint8)), 124.2),
        ("colour.npy", npy(np.full((6, 8, 3), (200, 100, 50), np.uint8)), 124.2),
        ("alpha.png", encoded(".png", np.full((6, 8, 4), (50, 100, 200, 9), np.uint8)), 124.2),
    ],
)
def test_8_bit_pictures_are_grey_levels_and_no_temperatures(write, name, content, levels):
    frame = read_thermal(write(name, content))
    assert not frame.radiometric
    assert frame.values.dtype == np.float32
    assert frame.values.shape == (6, 8)
    assert np.abs(frame.values - levels).max() <= 1
    assert "no temperatures" in frame.note


@pytest.mark.parametrize("name", ["frame.npy", "frame.png"])
def test_deg_c_and_grey_levels_are_read_to_the_bit(write, name):
    grey = np.random.default_rng(0).integers(0, 256, (12, 16)).astype(np.uint8)
    values = scene() if name == "frame.npy" else grey
    path = write(name, npy(values) if name == "frame.npy" else encoded(".png", values))
    assert (read_thermal(path).values == values).all()


def test_a_preset_of_no_temperatures_keeps_counts(write):
    frame = read_thermal(write("frame.png", encoded(".png", centikelvin(scene()))), Reading(preset="none"))
    assert not frame.radiometric
    assert (frame.values == centikelvin(scene())).all()


@pytest.mark.parametrize(
    ("header", "text"),
    [
        pytest.param("", csv_text(scene(), ";", ",", ";\n"), id="separator_at_the_end"),
        pytest.param("File:;C:\\a;b.is2\nEmissivity;0,95\n\n", csv_text(scene()), id="header"),
        pytest.param("640;480\n", csv_text(scene()), id="header_of_numbers"),
        pytest.param(";".join("12" * 40) + "\n", csv_text(scene()), id="header_of_more_numbers"),
        pytest.param("", csv_text(scene(), ";", "."), id="semicolon_and_point"),
        pytest.param("", csv_text(scene(), '","', ",", '"\n"')[:-1].join(['"', ""]), id="quoted_decimal_commas"),
        pytest.param("", csv_text(scene(), " , ", "."), id="spaces"),
        pytest.param("T [\u00b0C]\n", csv_text(scene()), id="degree_sign"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_csv_dialects(write, header, text, encoding):
    frame = read_thermal(write("frame.csv", (header + text).encode(encoding)))
    assert np.abs(frame.values - scene()).max() < 0.001


@pytest.mark.parametrize("start", [0, 1])
def test_csv_row_and_column_numbers_are_no_temperatures(write, start):
    numbers = range(start, start + WIDTH)
    rows = [f"{start + index},{row}" for index, row in enumerate(csv_text(scene(), ",", ".").splitlines())]
    with_both = write("both.csv", "\n".join([",".join(["", *map(str, numbers)]), *rows]))
    corner = write("corner.csv", "\n".join([",".join(["0", *map(str, numbers)]), *rows]))
    for path in (with_both, corner, write("rows.csv", "\n".join(rows))):
        frame = read_thermal(path)
        assert np.abs(frame.values - scene()).max() < 0.001
        assert "numbers" in frame.note


def test_csv_of_whole_counts_is_read_as_counts(write):
    counts = "\n".join(",".join(map(str, row)) for row in centikelvin(scene()))
    frame = read_thermal(write("frame.csv", counts))
    assert "centikelvin" in frame.note
    assert np.abs(frame.values - scene()).max() < 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no text", id="empty"),
        pytest.param("no numbers\nat all;", "no line of numbers", id="words"),
        pytest.param("23.5\n24.5\n", "separated by", id="one_column"),
        pytest.param("1.5;2;3\n4;5;6\n7;8", "line 3: expected 3 numbers as in other lines, got 2", id="cut_off"),
        pytest.param("1.5;2;3\n4;x;6\n7;8;9", "line 2: .*got '4;x;6'", id="word_within"),
        pytest.param("1.5;2;3\n4;;6\n7;8;9", "line 2", id="empty_cell"),
        pytest.param("1.5;2;3\n4;5;6\nmean 4.5;", "line 3", id="footer"),
        pytest.param("20.5;nan;30\n20;25;30", "1 of 6 values", id="nan"),
    ],
)
def test_csv_faults_are_named_by_line(write, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_thermal(write("frame.csv", text))
    assert "frame.csv" in str(caught.value)


def test_flir_segments_may_be_many(write):
    celsius = scene(height=60, width=80)
    frame = read_thermal(write("a.jpg", flir_jpeg(celsius, 1000)))
    assert np.abs(frame.values - celsius).max() < 0.03
    assert "calibration" in frame.note


def test_flir_temperatures_ignore_what_counts_of_other_files_mean(write):
    frame = read_thermal(write("a.jpg", flir_jpeg(scene())), Reading(preset="centikelvin"))
    assert np.abs(frame.values - scene()).max() < 0.03


def test_flir_without_its_package_names_it(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "flyr", None)
    with pytest.raises(DataError, match="pip install flyr"):
        read_thermal(write("a.jpg", flir_jpeg(scene())))
    assert not read_thermal(write("b.jpg", encoded(".jpg", np.zeros((6, 8), np.uint8)))).radiometric


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.npy", npy(scene())[:-1], "cut off.*expected|cut off.*promises", id="npy"),
        pytest.param("a.npz", npz(a=scene())[:-30], "damaged", id="npz"),
        pytest.param("a.npz", npz(a=scene(), cut=True), "cut off.*expected", id="npz_within"),
        pytest.param("a.npz", npz(a=scene(), flip=True), "not a whole", id="npz_checksum"),
        pytest.param("a.bin", b"\0" * 1000, "expected 1536 bytes.*got 1000", id="bin"),
        pytest.param("a.bin", b"\0" * 2000, "expected 1536 bytes.*got 2000", id="bin_of_more_than_one"),
        pytest.param("a.png", encoded(".png", centikelvin(scene()))[:-60], "truncated", id="png"),
        pytest.param("a.jpg", encoded(".jpg", np.arange(768).astype(np.uint8).reshape(24, 32))[:-60], "", id="jpg"),
        pytest.param("a.jpg", flir_jpeg(scene())[:1200], "", id="flir"),
        pytest.param("a.tif", tiff([scene()])[:-1], "truncated", id="tiff"),
        pytest.param("a.tif", tiff([scene(), scene()])[:-4], "truncated", id="tiff_pages"),
        pytest.param("a.tif", tiff([scene(), scene()])[: scene().nbytes + 150], "page 2", id="tiff_directory"),
        pytest.param("a.tif", b"II*\0", "no TIFF", id="tiff_head"),
    ],
)
def test_cut_off_files_are_refused(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        list_frames(write(name, content))
    assert name in str(caught.value)


def list_frames(path):
    return list(open_sequence(path, Reading(raw_size=(WIDTH, HEIGHT))))


@pytest.mark.parametrize("name", ["a.npy", "a.tif"])
def test_sequences_that_are_cut_off_are_refused_before_the_first_frame(write, name):
    stack = [scene(seed) for seed in range(4)]
    content = npy(np.stack(stack)) if name == "a.npy" else tiff(stack)
    with pytest.raises(DataError, match="cut off"):
        open_sequence(write(name, content[: len(content) // 2]))


def test_pages_that_lead_in_a_circle_are_refused(write):
    first, second = 8, len(tiff([scene()]))
    content = bytearray(tiff([scene(), scene()]))
    struct.pack_into("<I", content, second + 2 + 10 * 12, first)
    with pytest.raises(DataError, match="page 3"):
        list_frames(write("a.tif", bytes(content)))


def test_a_damaged_number_of_flir_records_does_not_hang(write):
    content = flir_jpeg(scene())
    place = content.index(b"FFF\0") + 28
    damaged = content[:place] + struct.pack(">I", 2**31) + content[place + 4 :]
    with pytest.raises(DataError, match="FLIR records"):
        read_thermal(write("a.jpg", damaged))


def test_headerless_files_of_another_size_name_the_sizes_that_fit(write):
    path = write("a.bin", np.full(160 * 120, 7400, "<u2").tobytes())
    with pytest.raises(DataError, match="--raw_size 160 120 would fit"):
        read_thermal(path)
    assert read_thermal(path, Reading(raw_size=(160, 120))).values.shape == (120, 160)


def test_headerless_frames_with_width_and_height_swapped_are_refused(write):
    path = write("a.bin", np.round((scene(0, 96, 128) + 273.15) / 0.04).astype("<u2").tobytes())
    with pytest.raises(DataError, match="--raw_size 128 96 "):
        read_thermal(path, Reading(raw_size=(96, 128)))
    assert read_thermal(path, Reading(raw_size=(128, 96))).values.shape == (96, 128)


def test_headerless_frames_of_horizontal_bands_have_the_size_that_is_said(write):
    bands = np.repeat(np.arange(7000, 7480, dtype="<u2")[:, None], 640, axis=1)
    assert read_thermal(write("a.bin", bands.tobytes()), Reading(raw_size=(640, 480))).values.shape == (480, 640)


def test_headerless_default_is_640_by_512_at_4_hundredths_of_a_kelvin(write):
    # The lab's inference code: uint16, 512 rows x 640 columns, deg C = 0.04 x raw - 273.15
    raw = np.tile(np.arange(7000, 7640, dtype="<u2"), (512, 1))
    frame = read_thermal(write("a.bin", raw.tobytes()))
    assert frame.values.shape == (512, 640)
    assert frame.values[17, 0] == pytest.approx(6.85, abs=1e-4)
    assert frame.values[0, 639] == pytest.approx(0.04 * 7639 - 273.15, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(np.zeros(7)), "shape"),
        (npy(np.zeros((2, 3, 4, 5))), "shape"),
        (npy(np.zeros((0, 4))), "shape"),
        (npy(np.zeros((3, 4), complex)), "complex"),
        (npy(np.array([["a", "b"]])), "<U1"),
        (npy(np.stack([scene(), scene()])), "2 frames, expected one"),
    ],
)
def test_arrays_that_are_no_frame_are_refused(write, content, message):
    with pytest.raises(DataError, match=message):
        read_thermal(write("a.npy", content))


def test_an_archive_holds_one_frame(write):
    with pytest.raises(DataError, match=r"got a float32 \(24, 32\), b float32 \(24, 32\)"):
        read_thermal(write("a.npz", npz(a=scene(), b=scene())))
    with pytest.raises(DataError, match="got t"):
        read_thermal(write("a.npz", npz(t=np.arange(3))))


def test_a_video_is_no_single_frame(tmp_path):
    with pytest.raises(DataError, match="3 frames, expected one"):
        read_thermal(video(tmp_path / "a.avi", [10, 20, 30]))


@pytest.mark.parametrize("name", ["gone.npy", "gone.csv", "gone.png", "gone.tif", "gone.mp4", "gone.bin", "gone.npz"])
def test_missing_files_are_named(tmp_path, name):
    with pytest.raises(DataError, match=name):
        read_thermal(tmp_path / name)


def test_folders_and_unknown_endings_are_named(write, tmp_path):
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(DataError, match=r"folder\.npy"):
        read_thermal(tmp_path / "folder.npy")
    with pytest.raises(DataError, match=r"notes\.txt.*\.npy"):
        read_thermal(write("notes.txt", "hello"))
