"""Tables of camera software and of other programs: the frames and the unit that they hold, or what to say."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.thermal import PRESETS, Reading, open_sequence
from lib.thermal.formats.header import unit_in_header
from lib.utils.errors import DataError
from tests.thermal.files import HEIGHT, WIDTH, csv_text, scene

STACK = np.round(np.stack([scene(seed) for seed in range(3)]), 2)
LINES = [csv_text(frame, ",", ".").splitlines() for frame in STACK]
FLIR_HEADER = (
    "File:,C:\\IR_0001.jpg\r\n\r\nParameters:,Emissivity:,0.95\r\n,Refl. temp:,20.0 \u00b0C\r\n,Distance:,1.0 m\r\n"
    ",Ext. optics trans:,1\r\n\r\n"
)


@pytest.fixture
def read(tmp_path):
    def read(text, **reading):
        path = tmp_path / "a.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        sequence = open_sequence(path, Reading(**reading))
        frames = [frame for _, frame in sequence]
        assert sequence.length == len(frames)
        return np.stack([frame.values for frame in frames])

    return read


def close(frames, expected):
    expected = np.asarray(expected)
    expected = expected[None] if expected.ndim == 2 else expected
    return frames.shape == expected.shape and np.abs(frames - expected).max() < 0.006


def flir_lines(lines, label, delimiter=","):
    return "".join(f"{label if not index else ''}{delimiter}{line}\r\n" for index, line in enumerate(lines))


def test_exports_of_flir_tools_hold_one_frame_or_several(read):
    one = FLIR_HEADER + flir_lines(LINES[0], "Frame 1")
    assert close(read(one), STACK[0])
    several = FLIR_HEADER + "\r\n".join(flir_lines(lines, f"Frame {n}") for n, lines in enumerate(LINES, 1))
    assert close(read(several), STACK)
    assert close(read(several.replace("\r\n\r\nFrame", "\r\nFrame")), STACK)


def test_exports_of_flir_with_semicolons_and_decimal_commas(read):
    lines = [line.replace(".", ",") for line in csv_text(STACK[0], ";", ".", ";\n").splitlines()]
    assert close(read(FLIR_HEADER.replace(",", ";") + flir_lines(lines, "Image 1", ";")), STACK[0])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f'"{line},"\n' for line in LINES[0]), id="whole_lines_quoted"),
        pytest.param("".join(f'"{line.replace(",", ";")}"\r\n' for line in LINES[0]), id="quoted_semicolons"),
        pytest.param("\n".join(LINES[0]).replace(",", " "), id="blanks"),
        pytest.param("\n".join("  " + line.replace(",", "   ") + " " for line in LINES[0]), id="aligned_blanks"),
        pytest.param("# saved\n" + "\n".join(LINES[0]).replace(",", " ").replace(".", ","), id="blanks_and_commas"),
        pytest.param("\n".join(" ".join(f"{value:.18e}" for value in row) for row in STACK[0]), id="savetxt"),
        pytest.param("\n\n".join(LINES[0]), id="every_other_line_empty"),
        pytest.param("\r\r\n".join(LINES[0]), id="carriage_returns_twice"),
        pytest.param("\n".join(f"Row {n},{line}" for n, line in enumerate(LINES[0])), id="rows_named"),
    ],
)
def test_other_ways_to_write_one_frame(read, text):
    assert close(read(text), STACK[0])


@pytest.mark.parametrize("start", [0, 1])
def test_a_first_row_of_column_numbers_is_no_row(read, start):
    numbers = ",".join(str(start + column) for column in range(WIDTH))
    assert close(read("\n".join([numbers, *LINES[0]])), STACK[0])
    assert close(read("\n\n".join("\n".join([numbers, *lines]) for lines in LINES)), STACK)


@pytest.mark.parametrize("between", ["\n", "\n\n\n", "Frame\n", "\nFrame 2 at 0.25 s\n", " ; \n"])
def test_frames_follow_each_other_after_an_empty_line_or_text(read, between):
    assert close(read(between.join(csv_text(frame, ";", ",") for frame in STACK)), STACK)


@pytest.mark.parametrize("cut", [1, HEIGHT - 1])
def test_blocks_of_different_sizes_are_refused(read, cut):
    text = csv_text(STACK[0]) + "\n" + csv_text(STACK[1][cut:])
    with pytest.raises(DataError, match=f"{HEIGHT} rows of {WIDTH}, {HEIGHT - cut} rows of {WIDTH}.*--axes HW"):
        read(text)
    assert close(read(text, axes="HW"), np.concatenate([STACK[0], STACK[1][cut:]]))


WALK = np.round(np.stack([scene(seed) for seed in range(12)]), 2)


def walk(times=None, names=True, extra=""):
    flat = WALK.reshape(len(WALK), -1)
    lines = [",".join(f"{value:.2f}" for value in row) for row in flat]
    if times is not None:
        lines = [f"{time},{extra}{line}" for time, line in zip(times, lines, strict=True)]
    if names:
        head = (["time"] if times is not None else []) + (["n"] if extra else []) + [f"p{n}" for n in range(768)]
        lines = [",".join(head), *lines]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "times",
    [
        [f"{1.6e9 + 0.25 * n:.2f}" for n in range(12)],
        [f"{0.25 * n}" for n in range(12)],
        [f"2026-01-31 12:00:{n:02d}.125" for n in range(12)],
        [f"12:00:{n:02d}" for n in range(12)],
        [f"Frame {n}" for n in range(12)],
        list(range(12)),
    ],
    ids=["epoch", "seconds", "date", "clock", "frame", "number"],
)
@pytest.mark.parametrize("names", [True, False])
def test_lines_of_a_time_and_768_numbers_are_frames_of_24_by_32(read, times, names):
    assert close(read(walk(times, names)), WALK)


def test_lines_of_768_numbers_are_frames_of_24_by_32(read):
    assert close(read(walk()), WALK)
    assert close(read(walk(names=False).splitlines()[0]), WALK[0])
    assert close(read(walk([f"{0.25 * n}" for n in range(12)], extra="7,")), WALK)


def test_lines_that_are_frames_of_another_size_need_its_size(read):
    flat = np.round(np.stack([scene(seed, 8, 8) for seed in range(12)]), 2)
    text = "\n".join(f"{0.1 * n:.1f}," + ",".join(map(str, frame.ravel())) for n, frame in enumerate(flat))
    with pytest.raises(DataError, match="12 lines of 65 numbers.*--axes TN and --raw_size W H"):
        read(text)
    assert close(read(text, axes="TN", raw_size=(8, 8)), flat)
    assert close(read(text.splitlines()[0][4:], axes="TN", raw_size=(8, 8)), flat[0])


def test_other_axes_of_tables_must_be_said(read):
    text = "\n".join(line for lines in LINES for line in lines)
    assert close(read(text, axes="THW", raw_size=(WIDTH, HEIGHT)), STACK)
    assert close(read(text, axes="WH"), np.concatenate(STACK).T)
    assert close(read(text, axes="HW"), np.concatenate(STACK))
    wrapped = "\n".join(",".join(map(str, row)) for row in STACK[0].reshape(-1, 48))
    assert close(read(wrapped, axes="N", raw_size=(WIDTH, HEIGHT)), STACK[0])
    columns = "\n".join(",".join(map(str, row)) for row in STACK.reshape(3, -1).T)
    with pytest.raises(DataError, match="768 rows of 3 numbers.*--axes NT"):
        read(columns)
    assert close(read(columns, axes="NT", raw_size=(WIDTH, HEIGHT)), STACK)
    with pytest.raises(DataError, match="--raw_size 640 512"):
        read(text, axes="THW")
    with pytest.raises(DataError, match="--axes HWT doesn't fit a table"):
        read(text, axes="HWT")


@pytest.mark.parametrize(("names", "axes"), [("x,y,T", "WHV"), ("col;row;temp", "WHV"), ("Row,Column,Value", "HWV")])
def test_a_pixel_a_line_is_a_frame(read, names, axes):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    places = (x, y) if axes == "WHV" else (y, x)
    columns = [np.ravel(part) for part in (*places, STACK[0])]
    lines = [f"{first},{second},{value:.2f}" for first, second, value in zip(*columns, strict=True)]
    np.random.default_rng(0).shuffle(lines)
    delimiter = ";" if ";" in names else ","
    table = "\n".join(lines).replace(",", delimiter)
    assert close(read(f"{names}\n{table}"), STACK[0])
    with pytest.raises(DataError, match="768 lines of a pixel each.*--axes WHV.*--axes HWV"):
        read(table)
    assert close(read(table, axes=axes), STACK[0])
    with pytest.raises(DataError, match="--axes"):
        read("\n".join([names, *lines[1:]]).replace(",", delimiter))


def test_row_positions_are_no_temperatures(read):
    text = "\n".join(f"{0.5 * n:.1f},{line}" for n, line in enumerate(LINES[0]))
    with pytest.raises(DataError, match="--axes HW"):
        read(text)
    assert close(read(text, axes="HW"), STACK[0])


def test_whole_numbers_with_a_minus_sign_are_integers_too(read):
    tenths = np.round(10 * STACK[0]).astype(int)
    tenths[:6] = -120  # a cold sky, in tenths of a degree
    assert close(np.round(read(csv_text_of(tenths)), 2), tenths / 10)


def csv_text_of(integers):
    return "\n".join(",".join(map(str, row)) for row in integers)


@pytest.mark.parametrize("digits", [1, 2])
def test_decimal_commas_between_commas_are_refused(read, digits):
    text = "\n".join(",".join(f"{value:.{digits}f}".replace(".", ",") for value in row) for row in STACK[0])
    with pytest.raises(DataError, match="decimal marks and separators at once"):
        read(text)


FAHRENHEIT = (
    *("All temperatures in \u00b0F.", "T [\u00b0F]", "Temperature (\u00baF)", "deg F", "degF", "Degrees F", "deg. F"),
    *("Unit;F", "Unit: F", "temp_F", "T/F", "Temperature in F", "FAHRENHEIT", "\u2109", "&deg;F", "\u02daF"),
    *("Refl. temp:;68.0 \u00b0F", "Atmospheric temp;68.0 F", "T (F)", "[F]"),
)
KELVIN = (
    "Kelvin",
    "T [K]",
    "Unit: K",
    "\u00b0K",
    "T/K",
    "Temp. (K)",
    "Refl. temp:;293.15 K",
    "\u212a [\u212a]",
    "in K",
)
CELSIUS = (
    "\u00b0C",
    "T [\u00b0C]",
    "Celsius",
    "degC",
    "centigrade",
    "\u2103",
    "Unit;C",
    "Temperature (C)",
    "temp in C",
)
NOTHING = (
    *("File:;C:\\in\\F.is2", "F:\\a\\kelvin.jpg", "/home/kelvin/celsius.seq", "Emissivity;0.95", "Camera: FLIR E4"),
    *("f/1.0", "640 x 480", "Model;K-45", "Serial;F", "NETD 50 mK", "in C:\\temp", "Kelvinator", "", "humidity;50.0 %"),
)


@pytest.mark.parametrize("header", FAHRENHEIT)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-16-le", "utf-8-sig"])
def test_fahrenheit_in_a_header_is_read(read, header, encoding):
    text = f"{header}\n" + csv_text(STACK[0] * 1.8 + 32)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("no such sign in this encoding")
    assert close(read(content), STACK[0])


@pytest.mark.parametrize("degree", [b"\xf8", b"\xa1\xe3", b"\xc2\xb0", b"?", b"\xa1"], ids=lambda degree: degree.hex())
def test_degree_signs_of_other_encodings_are_read(read, degree):
    text = b"T (" + degree + b"F) \xe4\n" + csv_text(STACK[0] * 1.8 + 32).encode()
    assert close(read(text), STACK[0])


@pytest.mark.parametrize("header", KELVIN)
def test_kelvin_in_a_header_is_read(read, header):
    assert close(read(f"{header}\n" + csv_text(STACK[0] + 273.15)), STACK[0])


@pytest.mark.parametrize("header", [*CELSIUS, *NOTHING])
def test_other_headers_leave_deg_c(read, header):
    assert close(read(f"{header}\n" + csv_text(STACK[0])), STACK[0])


def test_a_unit_in_a_header_holds_for_integers_as_well(read):
    whole = np.round(STACK[0] * 1.8 + 32).astype(int)
    assert close(read("Temperatures in \u00b0F\n" + csv_text_of(whole)), (whole - 32) / 1.8)
    tenths = np.round(100 * (STACK[0] + 273.15)).astype(int)
    assert close(read("centikelvin\n" + csv_text_of(tenths)), tenths / 100 - 273.15)


def test_units_that_contradict_are_refused_unless_one_is_named(read):
    text = "Atmospheric temp;20.0 \u00b0C\nT [\u00b0F]\n" + csv_text(STACK[0] * 1.8 + 32)
    with pytest.raises(DataError, match="deg C .*and fahrenheit .*--temp_preset"):
        read(text)
    assert close(read(text, preset="fahrenheit"), STACK[0])


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_header_has_a_unit_or_none_or_several(cells):
    try:
        unit = unit_in_header([cells], "a.csv")
    except DataError:
        return
    assert unit is None or unit.name in ("deg C", *PRESETS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layout=st.sampled_from(list(itertools.product((",", ";", "\t", " "), (".", ","), (False, True), (1, 2, 3)))),
    size=st.tuples(st.integers(2, 14), st.integers(2, 14)),
    header=st.sampled_from(["", "Frame export\n", "Emissivity;0.95\n\n", "File,a.is2\n"]),
    numbered=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_table_gives_its_frames(tmp_path, layout, size, header, numbered, seed):
    delimiter, decimal, quoted, count = layout
    if delimiter == decimal == ",":
        quoted = True
    rng = np.random.default_rng(seed)
    stack = np.round(rng.uniform(15, 38, (count, *size)), 2)
    quote = '"' if quoted and delimiter != " " else ""
    blocks = []
    for frame in stack:
        lines = [[f"{quote}{value:.2f}{quote}".replace(".", decimal) for value in row] for row in frame]
        if numbered and size[0] > 8 and size[1] >= 8:
            lines = [[*map(str, range(size[1]))], *lines]
        blocks.append("\n".join(delimiter.join(line) for line in lines) + "\n")
    path = tmp_path / "any.csv"
    path.write_text(header + "\n".join(blocks))
    frames = [frame.values for _, frame in open_sequence(path)]
    assert close(np.stack(frames), stack)
