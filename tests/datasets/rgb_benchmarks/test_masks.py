"""Masks in other files than pictures: pickles call nothing, whoever wrote them; damaged files are named."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from lib.datasets.rgb_benchmarks.masks import read_mat, read_pickled_masks
from lib.utils.errors import DataError

MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("make", [lambda mask: mask, Image.fromarray])
def test_masks_come_back_from_files_of_old_and_new_pytorch(zipped, make, tmp_path):
    torch.save({2008_000001: make(MASK)}, tmp_path / "m.pth", _use_new_zipfile_serialization=zipped)
    masks = read_pickled_masks(tmp_path / "m.pth")
    assert list(masks) == [2008_000001]
    np.testing.assert_array_equal(np.asarray(masks[2008_000001]), MASK)


class Calls:
    """Something whose pickle calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("function", [os.mkdir, eval, np.load])
def test_a_pickle_that_would_call_something_is_refused_and_calls_nothing(function, zipped, tmp_path):
    path, made = tmp_path / "m.pth", tmp_path / "made"
    torch.save({1: MASK, 2: Calls(function, str(made))}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=rf"m\.pth: not read, as it would call \S*{function.__name__}\b"):
        read_pickled_masks(path)
    assert not made.exists()


@pytest.mark.parametrize(
    "content",
    [[MASK], {"a": MASK}, {1: "mask"}, OrderedDict(a=torch.zeros(2))],
    ids=["list", "names", "text", "weights"],
)
def test_other_contents_than_masks_by_number_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "m.pth")
    with pytest.raises(DataError, match="expected a dictionary from numbers of pictures to masks"):
        read_pickled_masks(tmp_path / "m.pth")


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({1: MASK}, 2)])
def test_files_of_other_kinds_are_named(content, tmp_path):
    (tmp_path / "m.pth").write_bytes(content)
    (tmp_path / "m.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"m\.pth: not read, as it is damaged, or torch\.save didn't write it"):
        read_pickled_masks(tmp_path / "m.pth")
    with pytest.raises(DataError, match=r"m\.mat: "):
        read_mat(tmp_path / "m.mat")


def test_a_variable_that_is_no_mask_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "m.mat", {"S": MASK.astype(float), "T": MASK})
    np.testing.assert_array_equal(read_mat(tmp_path / "m.mat", "T"), MASK)
    for name, given in (("S", "float64 of shape"), ("U", "none")):
        with pytest.raises(DataError, match=f"expected a variable {name}.*got {given}"):
            read_mat(tmp_path / "m.mat", name)
