"""Whatever a frame, label or landmark file holds: data as promised or a DataError that names it; nothing in it runs."""

import json
import pickle
import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lib.datasets.dataset import Sample, SegmentationDataset
from lib.datasets.labels import label_size, read_label
from lib.datasets.landmarks import draw_labels
from lib.datasets.landmarks.ljson import read_ljson
from lib.thermal import FrameReader, Reading
from lib.thermal.formats.arrays import array_shape, read_array
from lib.utils.errors import DataError
from lib.utils.labels import IGNORE
from tests.datasets.helpers import face_points
from tests.fuzz import cases

POINTS = face_points(24, 32).tolist()


def read_image(path, channels=1):
    """A frame whose numbers need not be temperatures."""
    return FrameReader(Reading(preset="none"), channels).read(path).values


def result_or_fault(read, path, *arguments):
    """What ``read`` returns, or None after a DataError that names the file."""
    message = ""
    try:
        return read(path, *arguments)
    except DataError as error:
        message = str(error)
    assert str(path) in message
    assert len(message) < 2000
    return None


@st.composite
def damaged(draw, whole):
    """Bytes changed, cut out, put in or cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "set", "cut", "put", "end"]))
        if kind == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del content[place : place + draw(st.integers(1, 40))]
        elif kind == "put":
            content[place:place] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "end":
            del content[place:]
    return bytes(content)


# --- landmarks

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1e400, -(10**400)]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
WHOLE_LJSON = json.dumps(
    {"landmarks": {"points": POINTS}, "labels": [{"label": "chin", "mask": list(range(17))}], "version": 2}
).encode()


def check_ljson(path):
    landmarks = result_or_fault(read_ljson, path)
    if landmarks is not None:
        assert landmarks.points.shape == (68, 2)
        assert np.isfinite(landmarks.points).all()
        assert draw_labels(landmarks.points, (24, 32), landmarks.groups).max() <= 7


@cases(250)
@given(damaged(WHOLE_LJSON) | st.binary(max_size=80) | JSON.map(lambda tree: json.dumps(tree).encode()))
def test_ljson_files(tmp_path, content):
    (tmp_path / "a.ljson").write_bytes(content)
    check_ljson(tmp_path / "a.ljson")


@cases(250)
@given(st.dictionaries(st.integers(0, 67), JSON, max_size=3), JSON, st.integers(-2, 2))
def test_ljson_points_and_groups(tmp_path, changes, labels, longer):
    points = [changes.get(index, pair) for index, pair in enumerate(POINTS)][: 68 + min(longer, 0)]
    tree = {"landmarks": {"points": points + POINTS[: max(longer, 0)]}, "labels": labels}
    (tmp_path / "a.ljson").write_text(json.dumps(tree))
    check_ljson(tmp_path / "a.ljson")


# --- arrays


def npy(array, **options):
    file = BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
ARRAYS = hnp.arrays(
    hnp.scalar_dtypes() | hnp.byte_string_dtypes() | hnp.unicode_string_dtypes(), SHAPES, fill=st.nothing()
) | hnp.arrays(object, SHAPES, elements=st.none() | st.text(max_size=3), fill=st.nothing())
HEADER = st.fixed_dictionaries(
    {
        "descr": st.sampled_from(["<f4", "|O", "<f8", ">i2", "|V99999", "<U9", "f4, i4", "<M8[s]", "<f16", ""]),
        "fortran_order": st.sampled_from([True, False, None, 3]),
        "shape": st.lists(st.sampled_from([0, 1, 3, -1, 2**31, 2**62, 10**30, True, None, 1.5]), max_size=4).map(tuple),
    }
)  # fmt: skip


def with_header(fields, version=1):
    """A .npy file of 48 bytes after any header."""
    text = (repr(fields) + "\n").encode()
    return (
        b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + bytes(48)
    )


def check_array(path):
    shape, array = result_or_fault(array_shape, path), result_or_fault(read_array, path)
    image = result_or_fault(read_image, path)
    if array is not None:
        assert array.shape == shape
        assert array.dtype.kind in "iuf"
        assert np.isfinite(array).all()
    if image is not None:
        assert (image.dtype, image.ndim) == (np.float32, 2)
        assert image.size


@cases(400)
@given(ARRAYS)
def test_npy_arrays_of_any_type_and_shape(tmp_path, array):
    (tmp_path / "a.npy").write_bytes(npy(array))
    check_array(tmp_path / "a.npy")
    readable = array.dtype.kind in "iuf" and array.size and np.isfinite(array.astype(np.float32)).all()
    image = result_or_fault(read_image, tmp_path / "a.npy")
    if readable and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)):
        assert (image == array.reshape(image.shape).astype(np.float32)).all()
    elif not readable or array.ndim < 2:
        assert image is None


@cases(300)
@given(
    st.one_of(
        damaged(npy(np.arange(12, dtype=np.float32).reshape(3, 4))),
        damaged(npy(np.array([{}, None], dtype=object))),
        st.binary(max_size=60),
        st.builds(with_header, HEADER | st.text(max_size=20), st.sampled_from([1, 2, 3, 9])),
    )
)
def test_npy_files(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    check_array(tmp_path / "a.npy")


class Touch:
    """Pickles as a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("read", [array_shape, read_array, read_image])
def test_npy_pickles_are_refused_and_do_not_run(tmp_path, read):
    mark, path = tmp_path / "ran", tmp_path / "a.npy"
    archive = BytesIO()
    np.savez(archive, a=np.array([Touch(mark)], dtype=object))
    for content in (npy(np.array([[Touch(mark)]], dtype=object)), pickle.dumps(Touch(mark)), archive.getvalue()):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.npy"):
            read(path)
        assert not mark.exists()
    np.load(BytesIO(npy(np.array([Touch(mark)], dtype=object))), allow_pickle=True)
    assert mark.exists()


# --- pictures

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6) % 6


def picture(kind, mode="L", **options):
    """A small picture as a file of that kind."""
    file = BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@st.composite
def made_png(draw):
    """A PNG of any header and content with right checksums, which damage alone hardly ever has."""
    size = st.sampled_from([0, 1, 4, 6, 2**31 - 1, 2**32 - 1, 20000])
    width, height = draw(size), draw(size)
    depth, colour = draw(st.sampled_from([1, 2, 4, 8, 16, 3])), draw(st.sampled_from([0, 2, 3, 4, 6, 7]))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, draw(st.sampled_from([0, 0, 1, 9])))
    pixels = zlib.compress(draw(st.binary(max_size=80)) + bytes(draw(st.sampled_from([0, 40, 5000]))))
    others = draw(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [b"PLTE", b"tRNS", b"gAMA", b"zTXt", b"IDAT", b"iCCP", b"acTL", b"fcTL", b"fdAT", b"eXIf"]
                ),
                st.binary(max_size=30),
            ),
            max_size=3,
        )
    )
    parts = [chunk(b"IHDR", header), *(chunk(*other) for other in others), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


WHOLE_PNG = picture("PNG")
PICTURES = [
    *(WHOLE_PNG, picture("PNG", "P"), picture("PNG", "1"), picture("PNG", "RGBA")),
    *(picture("JPEG"), picture("BMP"), picture("TIFF", compression="tiff_lzw"), picture("TIFF", "RGB"), picture("GIF")),
]


def check_label(path):
    size, label = result_or_fault(label_size, path), result_or_fault(read_label, path)
    if label is not None:
        assert label.dtype == np.uint8
        assert label.shape == size


@cases(400)
@given(st.sampled_from([WHOLE_PNG, *PICTURES]).flatmap(damaged) | st.binary(max_size=60) | made_png())
def test_png_labels(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    check_label(tmp_path / "a.png")


@cases(300)
@given(
    st.sampled_from(PICTURES).flatmap(damaged) | st.binary(max_size=60) | made_png(),
    st.sampled_from([".png", ".jpg", ".tif", ".bmp"]),
    st.sampled_from([1, 3, 4]),
)
def test_png_and_other_pictures_as_frames(tmp_path, content, suffix, channels):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    image = result_or_fault(read_image, path, channels)
    if image is not None:
        assert image.dtype == np.float32
        assert image.shape[2:] == ((channels,) if channels > 1 else ())


@cases(200)
@given(hnp.arrays(np.uint8, (4, 6)), st.lists(st.integers(-1, 5), min_size=1, max_size=250))
def test_png_label_values_become_classes_or_name_the_file(tmp_path, values, remap):
    np.save(tmp_path / "a.npy", np.zeros((4, 6), np.float32))
    cv2.imwrite(str(tmp_path / "a.png"), values)
    dataset = SegmentationDataset([Sample("a", tmp_path / "a.npy", tmp_path / "a.png")], 6, remap)
    sample = result_or_fault(lambda path: dataset[0], tmp_path / "a.png")
    known = (values < len(remap)) | (values == IGNORE)
    assert (sample is not None) == known.all()
    if sample is not None:
        assert set(np.unique(sample[1])) <= {*range(6), IGNORE}


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n", b"%PDF-1.4"])
def test_documents_with_a_pictures_name_start_no_other_program(tmp_path, content, monkeypatch):
    started = []
    monkeypatch.setattr("subprocess.Popen", lambda *arguments, **named: started.append(arguments))
    (tmp_path / "a.png").write_bytes(content)
    check_label(tmp_path / "a.png")
    assert not started
    with pytest.raises(DataError, match="not a readable picture"):
        label_size(tmp_path / "a.png")
