"""Integers in MATLAB's files: as they were stored, or the file is named."""

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.matlab import read_integers
from lib.utils.errors import DataError
from tests.fuzz import cases

MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Of a file with two compressed variables, S of floats and T of integers."""
    path = tmp_path_factory.mktemp("matlab") / "m.mat"
    scipy.io.savemat(path, {"S": MASK / 2, "T": MASK}, do_compression=True)
    return path.read_bytes()


def test_a_variable_of_other_numbers_or_axes_is_refused(content, tmp_path):
    path = tmp_path / "m.mat"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_integers(path, "T"), MASK)
    for name, axes, found in (("S", 2, "float64 of shape"), ("T", 3, "uint8 of shape"), ("U", 2, "none")):
        with pytest.raises(DataError, match=rf"m\.mat: expected a variable {name}.*got {found}"):
            read_integers(path, name, axes)


@cases(60)
@given(st.data())
def test_changed_files_give_integers_or_an_error_that_names_them(content, tmp_path, data):
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "m.mat"
    path.write_bytes(changed[: data.draw(st.integers(0, len(content)))])
    found, said = MASK, str(path)
    try:
        found = read_integers(path, "T")
    except DataError as error:
        said = str(error)
    assert found.dtype.kind in "iu"
    assert str(path) in said
