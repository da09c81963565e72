"""Damaged thermal files: an error that names the file, or whole frames; never another error, never a hang."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.thermal import Reading, open_sequence
from lib.utils.errors import DataError
from tests.thermal.files import FORMATS, HEIGHT, WIDTH, scene, tiff, video

pytestmark = pytest.mark.filterwarnings("ignore")

ROUNDS = 40  # per format: 20 formats make 800 damaged files


@st.composite
def damages(draw):
    """A function from a file's bytes to those of a damaged one."""
    flips = draw(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=6))
    head = draw(st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=8)), max_size=3))
    keep = draw(st.one_of(st.just(1.0), st.floats(0, 1)))
    tail = draw(st.binary(max_size=5))

    def damage(content: bytes) -> bytes:
        damaged = bytearray(content)
        for where, change in flips:
            damaged[int(where * (len(damaged) - 1))] ^= change
        for where, written in head:
            damaged[where : where + len(written)] = written
        return bytes(damaged[: int(keep * len(damaged))]) + tail

    return damage


@pytest.fixture(scope="module")
def content_of(tmp_path_factory):
    """Ending and content by a format's name: those of single frames, and sequences and videos."""
    folder = tmp_path_factory.mktemp("whole")
    whole = {name: (suffix, content(scene())) for name, (suffix, content, _) in FORMATS.items()}
    whole["pages"] = (".tif", tiff([scene(0), scene(1)]))
    for suffix, fourcc in ((".avi", "MJPG"), (".mp4", "mp4v")):
        whole[suffix] = (suffix, video(folder / f"a{suffix}", [20, 90, 200], fourcc).read_bytes())
    return whole.__getitem__


def frames_or_data_error(path):
    """The frames of a file, at least one; none if a DataError names the file."""
    try:
        frames = list(open_sequence(path, Reading(raw_size=(WIDTH, HEIGHT))))
    except DataError as error:
        if str(path) not in str(error):
            raise
        return []
    assert frames
    return frames


@pytest.mark.parametrize("name", [*FORMATS, "pages", ".avi", ".mp4"])
@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=damages())
def test_damaged_files_give_frames_or_a_data_error(content_of, tmp_path, name, damage):
    suffix, content = content_of(name)
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(damage(content))
    for _, frame in frames_or_data_error(path):
        assert frame.values.dtype == np.float32
        assert frame.values.ndim == 2
        assert frame.values.flags.c_contiguous
        assert np.isfinite(frame.values).all()


@pytest.mark.parametrize("suffix", sorted({suffix.lower() for suffix, _, _ in FORMATS.values()} | {".bmp", ".mkv"}))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_under_any_name_give_frames_or_a_data_error(tmp_path, suffix, content):
    path = tmp_path / f"bytes{suffix}"
    path.write_bytes(content)
    frames_or_data_error(path)
