"""FLIR's records in every byte order and container; radiometric files of other producers are refused with a remedy."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from lib.thermal import Reading, open_sequence, read_thermal
from lib.thermal.formats.foreign import CONVERTERS, HIDDEN
from lib.utils.errors import DataError
from tests.thermal.files import PLANCK_B, PLANCK_F, PLANCK_O, PLANCK_R1, PLANCK_R2, encoded, scene
from tests.thermal.pictures import jpeg_with

pytest.importorskip("flyr")

CELSIUS = scene()
GREY = encoded(".jpg", np.full((24, 32), 90, np.uint8))
FLOATS = {
    **{32: 1.0, 36: 0.0, 40: 293.15, 44: 293.15, 48: 293.15, 52: 1.0, 60: 0.5, 88: PLANCK_R1, 92: PLANCK_B},
    **{96: PLANCK_F, 112: 0.006569, 116: 0.01262, 120: -0.002276, 124: -0.00667, 128: 1.9, 780: PLANCK_R2},
}
"""A camera's record, by places in exiftool's documentation: an object of emissivity 1 at no distance."""
RAW, CAMERA, PALETTE = 1, 32, 34


def counts_of(celsius: np.ndarray) -> np.ndarray:
    kelvin = celsius.astype(np.float64) + 273.15
    return np.round(PLANCK_R1 / (PLANCK_R2 * (np.exp(PLANCK_B / kelvin) - PLANCK_F)) - PLANCK_O).astype(np.uint16)


def raw_record(counts: np.ndarray, order: str = "<", pixels: bytes | None = None) -> bytes:
    head = struct.pack(f"{order}HHH", 2, counts.shape[1], counts.shape[0]).ljust(32, b"\0")
    return head + (counts.astype(f"{order}u2").tobytes() if pixels is None else pixels)


def camera_record(order: str = "<", **changes: float) -> bytes:
    record = bytearray(900)
    struct.pack_into(f"{order}H", record, 0, 1)
    for place, value in (FLOATS | {int(name[1:]): value for name, value in changes.items()}).items():
        struct.pack_into(f"{order}f", record, place, value)
    struct.pack_into(f"{order}i", record, 776, PLANCK_O)
    return bytes(record)


def fff(records: dict[int, bytes], order: str = ">", spare: int = 0) -> bytes:
    """FLIR's container: a header of 64 bytes, a directory of entries of 32 bytes, and records."""
    entries, content = b"", b""
    first = 64 + spare + 32 * len(records)
    for kind, record in records.items():
        place = first + len(content)
        entries += struct.pack(f"{order}HHIIIIIII", kind, 2, 100, 1, place, len(record), 0, 0, 0)
        content += record
    head = b"FFF\0" + b"TEST".ljust(16, b"\0") + struct.pack(f"{order}III", 101, 64 + spare, len(records))
    return head.ljust(64 + spare, b"\0") + entries + content


def in_jpeg(content: bytes, part: int = 60_000) -> bytes:
    parts = [content[start : start + part] for start in range(0, len(content), part)]
    numbered = ((0xE1, b"FLIR\0\1" + bytes([index, len(parts) - 1]) + body) for index, body in enumerate(parts))
    return jpeg_with(GREY, *numbered)


def png(counts: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(counts).save(file, "PNG")
    return file.getvalue()


COUNTS = counts_of(CELSIUS)
RECORDS = {RAW: raw_record(COUNTS), CAMERA: camera_record()}
LAYOUTS = {
    "big_endian": fff(RECORDS, ">"),
    "little_endian": fff(RECORDS, "<"),
    "directory_elsewhere": fff(RECORDS, "<", spare=96),
    "big_endian_pixels": fff({RAW: raw_record(COUNTS, ">"), CAMERA: camera_record()}),
    "big_endian_camera": fff({RAW: raw_record(COUNTS), CAMERA: camera_record(">")}, "<"),
    "other_records_first": fff({PALETTE: bytes(50), CAMERA: camera_record(), RAW: raw_record(COUNTS)}, "<"),
    "png": fff({RAW: raw_record(COUNTS, pixels=png(COUNTS)), CAMERA: camera_record()}, "<"),
    "png_of_swapped_bytes": fff({RAW: raw_record(COUNTS, pixels=png(COUNTS.byteswap())), CAMERA: camera_record()}),
}


@pytest.mark.parametrize("suffix", [".jpg", ".fff"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_temperatures_are_read_from_every_layout(tmp_path, name, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(in_jpeg(LAYOUTS[name], 1000) if suffix == ".jpg" else LAYOUTS[name])
    frame = read_thermal(path, Reading(preset="centikelvin"))
    assert frame.radiometric
    assert np.abs(frame.values - CELSIUS).max() < 0.03
    assert "the camera's own calibration" in frame.note


def test_sequences_have_a_calibration_in_each_frame(tmp_path):
    path = tmp_path / "a.seq"
    frames = [scene(seed) for seed in range(3)]
    whole = [
        fff({RAW: raw_record(counts_of(frame)), CAMERA: camera_record()}, "<>"[seed % 2])
        for seed, frame in enumerate(frames)
    ]
    path.write_bytes(b"".join(content + bytes(40) for content in whole))
    read = list(open_sequence(path))
    assert [name for name, _ in read] == ["a_000000", "a_000001", "a_000002"]
    for (_, frame), celsius in zip(read, frames, strict=True):
        assert np.abs(frame.values - celsius).max() < 0.03


def test_emissivity_is_the_files_own(tmp_path):
    path = tmp_path / "a.fff"
    path.write_bytes(fff({RAW: raw_record(COUNTS), CAMERA: camera_record(c32=0.95)}))
    # Of what the camera sees, 5 % is the surroundings at 20 deg C: warmer objects are warmer than they seem.
    warm = CELSIUS > 30
    assert (read_thermal(path).values[warm] > CELSIUS[warm] + 0.3).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(fff({RAW: raw_record(COUNTS)}), "without its calibration.*export", id="no_camera"),
        pytest.param(fff({RAW: raw_record(COUNTS), CAMERA: camera_record()[:500]}), "calibration.*export", id="short"),
        pytest.param(fff({RAW: raw_record(COUNTS)[:-9], CAMERA: camera_record()}), "cut off", id="pixels_cut_off"),
        pytest.param(fff(RECORDS)[:-9], "cut off", id="cut_off"),
        pytest.param(fff(RECORDS).replace(struct.pack(">I", 101), bytes(4)), "version.*export", id="version"),
        pytest.param(
            fff({RAW: raw_record(COUNTS), CAMERA: camera_record(c52=0.0)}),
            r"flyr can't.*ZeroDivision.*export",
            id="flyr",
        ),
        pytest.param(
            fff({RAW: raw_record(COUNTS, pixels=b"\xff\xd8\xff\xf7" + bytes(90)), CAMERA: camera_record()}),
            "JPEG-LS.*export",
            id="jpeg_ls",
        ),
    ],
)
def test_records_that_cannot_be_read_say_why_and_what_to_do(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    path.write_bytes(in_jpeg(content))
    with pytest.raises(DataError, match=message) as caught:
        read_thermal(path)
    assert str(path) in str(caught.value)


def test_pictures_of_flir_cameras_without_thermal_data_are_pictures(tmp_path):
    (tmp_path / "a.jpg").write_bytes(in_jpeg(fff({PALETTE: bytes(50), CAMERA: camera_record()})))
    assert not read_thermal(tmp_path / "a.jpg").radiometric
    (tmp_path / "a.fff").write_bytes(fff({CAMERA: camera_record()}))
    with pytest.raises(DataError, match="frame 1 has no thermal data"):
        read_thermal(tmp_path / "a.fff")


def test_temperatures_that_cannot_be_have_a_remedy_that_works(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(in_jpeg(fff({RAW: raw_record(COUNTS), CAMERA: camera_record(c92=2 * PLANCK_B)})))
    with pytest.raises(DataError, match=r"calibration gives 3\d\d\.\d to 3\d\d.*emissivity") as caught:
        read_thermal(path)
    assert "--temp" not in str(caught.value)


def made_by(make: bytes) -> tuple[int, bytes]:
    """EXIF with the camera's maker."""
    text = make + b"\0"  # in the entry itself if it fits there
    entry = struct.pack("<IHHHI", 8, 1, 271, 2, len(text)) + (text if len(text) == 4 else struct.pack("<I", 26))
    return 0xE1, b"Exif\0\0II*\0" + entry + bytes(4) + text


def test_radiometric_files_of_dji_name_the_sdk_and_its_command(tmp_path):
    path = tmp_path / "DJI_0001_T.JPG"
    path.write_bytes(
        jpeg_with(GREY, made_by(b"DJI"), (0xE3, bytes(2 * 640 * 512)), (0xE4, b"\xaa\x55\x12\x06" + bytes(60)))
    )
    with pytest.raises(DataError, match=r"DJI Thermal SDK: dji_irp -s DJI_0001_T\.JPG .*reshape\(24, 32\)"):
        read_thermal(path)


def test_the_command_for_dji_gives_a_file_that_is_read(tmp_path):
    raw = CELSIUS.astype("<f4").tobytes()
    np.save(tmp_path / "frame.npy", np.frombuffer(raw, "<f4").reshape(24, 32))
    assert (read_thermal(tmp_path / "frame.npy").values == CELSIUS).all()


@pytest.mark.parametrize("make", [b"DJI", b"Canon"])
def test_ordinary_photos_are_pictures(tmp_path, make):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with(GREY, made_by(make), (0xE2, b"ICC_PROFILE\0" + bytes(30_000))))
    frame = read_thermal(path)
    assert not frame.radiometric
    assert HIDDEN not in frame.note


def test_data_of_an_unknown_kind_beside_the_picture_is_said(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with(GREY, (0xE2, bytes(2 * 256 * 192))))
    assert HIDDEN in read_thermal(path).note


@pytest.mark.parametrize("suffix", CONVERTERS)
def test_formats_of_producers_name_what_converts_them(tmp_path, suffix):
    path = tmp_path / f"a{suffix.upper()}"
    path.write_bytes(b"x")
    for read in (read_thermal, open_sequence):
        with pytest.raises(DataError, match="export|convert") as caught:
            read(path)
        assert CONVERTERS[suffix] in str(caught.value)


def test_a_folder_of_producers_files_names_what_converts_them(tmp_path):
    (tmp_path / "a.IS2").write_bytes(b"x")
    with pytest.raises(DataError, match="Fluke"):
        open_sequence(tmp_path)
