"""A scene, and its temperatures in files of every format, written without the code under test."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 24, 32


def scene(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(H, W) float32 deg C: a warm head before a wall that is colder at the top."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    head = (y - 0.5) ** 2 / 0.12 + (x - 0.5) ** 2 / 0.06 < 1
    celsius = np.where(head, 34 - 3 * (y - 0.5), 19 + 3 * y) + rng.normal(0, 0.05, (height, width))
    return celsius.astype(np.float32)


def centikelvin(celsius: np.ndarray) -> np.ndarray:
    return np.round((celsius + 273.15) * 100).astype(np.uint16)


def csv_text(celsius: np.ndarray, delimiter: str = ";", decimal: str = ",", end: str = "\n") -> str:
    rows = (delimiter.join(f"{value:.3f}".replace(".", decimal) for value in row) for row in celsius)
    return "".join(row + end for row in rows)


def tiff(pages: list[np.ndarray], order: str = "<", big: bool = False) -> bytes:
    """Uncompressed TIFF, one strip a page, directories before the data, as TIFF 6.0 and BigTIFF lay it out."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    parts = [head + (struct.pack(f"{order}HHQ", 8, 0, 16) if big else struct.pack(f"{order}I", 8))]
    place = len(parts[0])
    count_code, entry_code, offset_code = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    for index, page in enumerate(pages):
        height, width = page.shape
        sample_format = {"u": 1, "i": 2, "f": 3}[page.dtype.kind]
        tags = [(256, width), (257, height), (258, 8 * page.itemsize), (259, 1), (262, 1), (273, None), (277, 1)]
        tags += [(278, height), (279, page.nbytes), (339, sample_format)]
        directory = struct.calcsize(f"<{count_code}") + len(tags) * struct.calcsize(f"<{entry_code}")
        data = place + directory + struct.calcsize(f"<{offset_code}")
        parts.append(struct.pack(f"{order}{count_code}", len(tags)))
        for tag, value in tags:
            parts.append(
                struct.pack(f"{order}{entry_code}", tag, 16 if big else 4, 1, data if value is None else value)
            )
        place = data + page.nbytes
        parts.append(struct.pack(f"{order}{offset_code}", place if index + 1 < len(pages) else 0))
        parts.append(page.astype(page.dtype.newbyteorder(order)).tobytes())
    return b"".join(parts)


PLANCK_R1, PLANCK_R2, PLANCK_B, PLANCK_F, PLANCK_O = 14906.216, 0.010956882, 1396.5, 1.0, -7261


def flir_records(celsius: np.ndarray) -> bytes:
    """What a FLIR camera's APP1 segments hold, and a .fff file: an object of emissivity 1 at no distance.

    The records' places are those that exiftool's documentation of FLIR's tags gives.
    """
    height, width = celsius.shape
    kelvin = celsius.astype(np.float64) + 273.15
    raw = PLANCK_R1 / (PLANCK_R2 * (np.exp(PLANCK_B / kelvin) - PLANCK_F)) - PLANCK_O
    pixels = struct.pack("<HHH", 2, width, height).ljust(32, b"\0") + np.round(raw).astype("<u2").tobytes()
    camera = bytearray(900)
    for place, value in {
        **{32: 1.0, 36: 0.0, 40: 293.15, 44: 293.15, 48: 293.15, 52: 1.0, 60: 0.5},
        **{88: PLANCK_R1, 92: PLANCK_B, 96: PLANCK_F, 112: 0.006569, 116: 0.01262, 120: -0.002276, 124: -0.00667},
        **{128: 1.9, 780: PLANCK_R2},
    }.items():
        struct.pack_into("<f", camera, place, value)
    struct.pack_into("<i", camera, 776, PLANCK_O)
    entries, place = b"", 64 + 4 * 32
    for kind, record in ((1, pixels), (32, bytes(camera))):
        entries += struct.pack(">HHIIIIIII", kind, 2, 100, 1, place, len(record), 0, 0, 0)
        place += len(record)
    head = b"FFF\0" + b"MTX IR".ljust(16, b"\0") + struct.pack(">III", 100, 64, 4)
    return head.ljust(64, b"\0") + entries.ljust(128, b"\0") + pixels + bytes(camera)


def flir_jpeg(celsius: np.ndarray, segment_bytes: int = 60000) -> bytes:
    """A JPEG with the records of a FLIR camera in its APP1 segments."""
    height, width = celsius.shape
    flir = flir_records(celsius)
    parts = [flir[start : start + segment_bytes] for start in range(0, len(flir), segment_bytes)]
    segments = b""
    for number, part in enumerate(parts):
        body = b"FLIR\0\1" + bytes([number, len(parts) - 1]) + part
        segments += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    picture = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(picture, "JPEG")
    return b"\xff\xd8" + segments + picture.getvalue()[2:]


def encoded(suffix: str, array: np.ndarray) -> bytes:
    """A picture, as OpenCV writes it."""
    return cv2.imencode(suffix, array)[1].tobytes()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(cut: bool = False, flip: bool = False, **arrays: np.ndarray) -> bytes:
    """``cut``: a whole archive of arrays that were cut off before; ``flip``: one bit of the last value is wrong."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array)[: -8 if cut else None])
    content = bytearray(file.getvalue())
    if flip:
        content[content.index(array.tobytes()) + array.nbytes - 4] ^= 1
    return bytes(content)


def video(path: Path, grey_levels: list[int], fourcc: str = "MJPG", fps: float = 10) -> Path:
    """A video of uniform frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), fps, (64, 48))
    for level in grey_levels:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return path


FORMATS: dict[str, tuple[str, Callable[[np.ndarray], bytes], float]] = {
    "npy": (".npy", npy, 0.0),
    "npy_float64_fortran": (".npy", lambda celsius: npy(np.asfortranarray(celsius.astype(np.float64))), 0.0),
    "npy_big_endian": (".npy", lambda celsius: npy(celsius.astype(">f4")), 0.0),
    "npy_with_channel": (".npy", lambda celsius: npy(celsius[:, :, None]), 0.0),
    "npy_centikelvin": (".npy", lambda celsius: npy(centikelvin(celsius)), 0.005),
    "npz": (".npz", lambda celsius: npz(frame=celsius, time=np.arange(3)), 0.0),
    "bin": (".bin", lambda celsius: np.round((celsius + 273.15) / 0.04).astype("<u2").tobytes(), 0.02),
    "csv_semicolon": (".csv", lambda celsius: csv_text(celsius).encode(), 0.0005),
    "csv_comma": (".CSV", lambda celsius: csv_text(celsius, ",", ".").encode("utf-8-sig"), 0.0005),
    "tsv": (".tsv", lambda celsius: csv_text(celsius, "\t", ".", "\t\r\n").encode("utf-16"), 0.0005),
    "png": (".png", lambda celsius: encoded(".png", centikelvin(celsius)), 0.005),
    "tiff": (".tiff", lambda celsius: tiff([centikelvin(celsius)]), 0.005),
    "tiff_compressed": (".tif", lambda celsius: encoded(".tif", centikelvin(celsius)), 0.005),
    "tiff_float": (".tif", lambda celsius: tiff([celsius], ">"), 0.0),
    "tiff_double": (".tif", lambda celsius: tiff([celsius.astype(np.float64)]), 0.0),
    "bigtiff": (".tif", lambda celsius: tiff([celsius], big=True), 0.0),
    "flir": (".jpg", flir_jpeg, 0.03),
    "fff": (".fff", flir_records, 0.03),
}
"""By name: the file's ending, its content for a frame in deg C, and the largest error that rounding may make."""
