"""Pictures as cameras store them: turned, in several channels, in colours; upright frames at full depth come out."""

import io

import numpy as np
import pytest
from PIL import Image

from lib.datasets.labels import label_size, read_label
from lib.thermal import FrameReader, Reading, read_thermal
from lib.utils.errors import DataError
from tests.thermal.files import centikelvin, encoded, flir_jpeg, scene
from tests.thermal.pictures import STORED, exif, jpeg, jpeg_with, png, png_of_grey_and_opacity, tiff_of

CELSIUS = scene()
COUNTS = centikelvin(CELSIUS)
GREY = np.clip(3 * CELSIUS + 4 * np.arange(CELSIUS.shape[1]), 0, 255).astype(np.uint8)


def by_pillow(image: np.ndarray, suffix: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, suffix, **options)
    return file.getvalue()


def colour(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, image, image])


KINDS = {
    "jpg": (".jpg", GREY, jpeg, 8),
    "png": (".png", GREY, png, 0),
    "png_colour": (".png", GREY, lambda image, turn: png(colour(image), turn), 0),
    "png_counts": (".png", COUNTS, png, 0),
    "png_colour_counts": (".png", COUNTS, lambda image, turn: png(colour(image), turn), 0),
    "tiff": (".tif", GREY, lambda image, turn: tiff_of((image, {274: turn})), 0),
    "tiff_counts": (".tif", COUNTS, lambda image, turn: tiff_of((image, {274: turn})), 0),
    "tiff_compressed": (
        *(".tif", COUNTS),
        lambda image, turn: by_pillow(image, "TIFF", compression="tiff_lzw", tiffinfo={274: turn}),
        0,
    ),
    "tiff_float": (".tif", CELSIUS, lambda image, turn: tiff_of((image, {274: turn}), rows=5), 0),
    "tiff_as_png": (".png", COUNTS, lambda image, turn: tiff_of((image, {274: turn})), 0),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_say_how_they_are_turned_come_out_upright(tmp_path, kind, orientation):
    suffix, image, content, rounding = KINDS[kind]
    path = tmp_path / f"frame{suffix}"
    path.write_bytes(content(np.ascontiguousarray(STORED[orientation](image)), orientation))
    reader = FrameReader(Reading(preset="none" if image.dtype == np.uint16 else None))
    frame = reader.read(path).values
    assert frame.shape == reader.size(path) == image.shape
    assert np.abs(frame - image).max() <= rounding


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_frames_of_three_channels_come_out_upright(tmp_path, suffix, orientation):
    image = np.dstack([GREY, GREY[::-1], 255 - GREY])
    stored = np.ascontiguousarray(STORED[orientation](image))
    path = tmp_path / f"frame{suffix}"
    options = {"tiffinfo": {274: orientation}} if suffix == ".tif" else {"exif": b"Exif\0\0" + exif(orientation)}
    path.write_bytes(by_pillow(stored, {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF"}[suffix], **options))
    reader = FrameReader(channels=3)
    assert reader.read(path).values.shape == (*reader.size(path), 3) == image.shape
    assert np.abs(reader.read(path).values - image).mean() < (8 if suffix == ".jpg" else 1e-9)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_labels_come_out_upright(tmp_path, suffix, orientation):
    label = (GREY // 40).astype(np.uint8)
    stored = np.ascontiguousarray(STORED[orientation](label))
    path = tmp_path / f"label{suffix}"
    path.write_bytes(png(stored, orientation) if suffix == ".png" else tiff_of((stored, {274: orientation})))
    assert (read_label(path) == label).all()
    assert label_size(path) == label.shape


def test_flir_temperatures_are_turned_as_their_picture_is(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with(flir_jpeg(STORED[6](CELSIUS)), (0xE1, b"Exif\0\0" + exif(6))))
    frame = read_thermal(path)
    assert frame.values.shape == CELSIUS.shape
    assert np.abs(frame.values - CELSIUS).max() < 0.03


def test_damaged_exif_turns_nothing(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(GREY, 99))
    assert (read_thermal(path).values == GREY).all()


PLANES = np.stack([COUNTS] * 3)
DEEP = {
    "png_rgb": (".png", lambda: encoded(".png", colour(COUNTS))),
    "png_rgba": (".png", lambda: encoded(".png", np.dstack([colour(COUNTS), np.full_like(COUNTS, 65535)]))),
    "png_grey_and_opacity": (".png", lambda: png_of_grey_and_opacity(COUNTS)),
    "tiff_rgb": (".tif", lambda: tiff_of((colour(COUNTS), {}))),
    "tiff_rgba": (".tif", lambda: tiff_of((np.dstack([colour(COUNTS), 0 * COUNTS]), {338: 2}))),
    "tiff_grey_and_opacity": (".tif", lambda: tiff_of((np.dstack([COUNTS, 0 * COUNTS]), {338: 2}))),
    "tiff_rgb_compressed": (".tif", lambda: encoded(".tif", colour(COUNTS))),
    "tiff_planes": (".tif", lambda: tiff_of((PLANES, {284: 2}))),
    "tiff_planes_in_strips": (".tif", lambda: tiff_of((PLANES, {284: 2}), rows=7)),
    "tiff_planes_in_tiles": (".tif", lambda: tiff_of((PLANES, {284: 2}), tile=16)),
    "tiff_rgb_in_tiles": (".tif", lambda: tiff_of((colour(COUNTS), {}), tile=16)),
    "tiff_strips": (".tif", lambda: tiff_of((COUNTS, {}), rows=5)),
    "tiff_tiles": (".tif", lambda: tiff_of((COUNTS, {}), tile=16)),
    "tiff_uint32": (".tif", lambda: tiff_of((COUNTS.astype(np.uint32), {}))),
    "tiff_int32": (".tif", lambda: tiff_of((COUNTS.astype(np.int32), {}))),
}


@pytest.mark.parametrize("kind", DEEP)
def test_numbers_of_more_than_8_bits_keep_them_in_any_arrangement(tmp_path, kind):
    suffix, content = DEEP[kind]
    path = tmp_path / f"frame{suffix}"
    path.write_bytes(content())
    frame = read_thermal(path)
    assert frame.radiometric
    assert np.abs(frame.values - CELSIUS).max() < 0.006


@pytest.mark.parametrize(
    ("values", "rounding"),
    [
        pytest.param(CELSIUS.astype(np.float16), 0.02, id="float16"),
        pytest.param(CELSIUS.astype(np.float64), 1e-6, id="float64"),
        pytest.param(np.round(CELSIUS).astype(np.int8), 0.51, id="int8"),
        pytest.param(np.round(100 * CELSIUS).astype(np.int16), 0.006, id="int16"),
    ],
)
def test_tiff_of_any_type_of_number(tmp_path, capfd, values, rounding):
    path = tmp_path / "frame.tif"
    path.write_bytes(tiff_of((values, {})))
    frame = read_thermal(path)
    assert frame.radiometric
    assert np.abs(frame.values - CELSIUS).max() <= rounding
    assert capfd.readouterr().err == ""


def test_a_tiff_that_no_library_reads_is_refused_without_their_noise(tmp_path, capfd):
    path = tmp_path / "frame.tif"
    path.write_bytes(tiff_of((CELSIUS.astype(np.float16), {259: 8})))
    with pytest.raises(DataError, match=r"frame\.tif: page 1 .*uncompressed"):
        read_thermal(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".png", lambda: encoded(".png", np.dstack([COUNTS, COUNTS, COUNTS + 1]))),
        (".tif", lambda: tiff_of((np.dstack([COUNTS, COUNTS, COUNTS + 1]), {}))),
        (".tif", lambda: tiff_of((np.stack([COUNTS, COUNTS + 1]), {284: 2}))),
    ],
)
def test_channels_of_16_bits_that_differ_are_refused(tmp_path, suffix, content):
    path = tmp_path / f"frame{suffix}"
    path.write_bytes(content())
    with pytest.raises(DataError, match="uint16.*differ.*save the temperatures alone"):
        read_thermal(path)


PREVIEW = colour(GREY)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([(GREY[::4, ::4].copy(), {254: 1}), (COUNTS, {})], id="thumbnail_first"),
        pytest.param([(GREY[::4, ::4].copy(), {}), (COUNTS, {})], id="thumbnail_without_a_tag"),
        pytest.param([(COUNTS, {}), (PREVIEW, {})], id="preview_in_colours"),
        pytest.param([(COUNTS, {}), (COUNTS[::2, ::2].copy(), {254: 1})], id="half_size"),
        pytest.param([(COUNTS, {}), (GREY, {254: 4})], id="mask"),
    ],
)
def test_previews_in_a_tiff_are_no_frames(tmp_path, pages):
    path = tmp_path / "frame.tif"
    path.write_bytes(tiff_of(*pages))
    frame = read_thermal(path)
    assert FrameReader().size(path) == CELSIUS.shape
    assert np.abs(frame.values - CELSIUS).max() < 0.006
    assert "without 1 page of previews" in frame.note


def test_pages_of_several_sizes_are_refused_with_them(tmp_path):
    path = tmp_path / "frame.tif"
    path.write_bytes(tiff_of((COUNTS, {}), (COUNTS[::2, ::2].copy(), {})))
    with pytest.raises(DataError, match="32x24.*alone"):
        read_thermal(path)


def test_grey_of_16_bits_without_temperatures_is_read_when_said_so(tmp_path):
    stretched = np.round((CELSIUS - CELSIUS.min()) / np.ptp(CELSIUS) * 65535).astype(np.uint16)
    path = tmp_path / "frame.png"
    path.write_bytes(encoded(".png", stretched))
    with pytest.raises(DataError, match="--temp_preset none"):
        read_thermal(path)
    frame = read_thermal(path, Reading(preset="none"))
    assert not frame.radiometric
    assert (frame.values == stretched).all()


@pytest.mark.parametrize(
    ("name", "content", "dtype"),
    [
        ("a.tif", tiff_of((CELSIUS.astype(np.float16), {})), "float16"),
        ("a.tif", tiff_of((CELSIUS.astype(np.float64), {})), "float64"),
        ("a.tif", tiff_of((GREY[::4, ::4].copy(), {254: 1}), (COUNTS, {})), "uint16"),
        ("a.png", encoded(".png", COUNTS), "uint16"),
        ("a.png", encoded(".png", colour(COUNTS)), "uint16"),
        ("a.png", encoded(".png", GREY), "uint8"),
        ("a.jpg", encoded(".jpg", GREY), "uint8"),
    ],
)
def test_the_type_of_the_numbers_is_that_of_the_file(tmp_path, name, content, dtype):
    (tmp_path / name).write_bytes(content)
    assert read_thermal(tmp_path / name, Reading(preset="none" if dtype == "uint16" else None)).dtype == dtype
