"""Reading: what is on disk comes out unchanged; whatever is wrong is said before the first step, with its file."""

import cv2
import numpy as np
import pytest
from PIL import Image

from lib.datasets.dataset import SegmentationDataset, check_unique_names, find_samples, find_test_samples
from lib.thermal import Reading, read_thermal
from lib.utils.errors import ConfigError, DataError
from tests.datasets.helpers import write_pair

LABEL = np.arange(48, dtype=np.uint8).reshape(6, 8) % 3


@pytest.fixture
def root(tmp_path):
    """Frames b, a of split train and c of split val, 6x8."""
    write_pair(tmp_path / "train", "b", value=30.5, label=LABEL)
    write_pair(tmp_path / "train", "a", value=29.0)
    write_pair(tmp_path / "val", "c", value=31.0)
    return tmp_path


def dataset_of(root, **options) -> SegmentationDataset:
    return SegmentationDataset(find_samples([root], ("train",)), **{"num_classes": 3, **options})


def test_samples_come_sorted_with_values_as_on_disk(root):
    dataset = dataset_of(root)
    assert [sample.name for sample in dataset.samples] == ["a", "b"]
    assert dataset.sizes == ((6, 8), (6, 8))
    image, label = dataset[1]
    assert (image.dtype, label.dtype) == (np.float32, np.uint8)
    np.testing.assert_array_equal(image, np.full((6, 8), 30.5))
    np.testing.assert_array_equal(label, LABEL)


def test_several_roots_and_splits_are_put_together(root, tmp_path):
    write_pair(tmp_path / "other/train", "a")
    samples = find_samples([root, tmp_path / "other"], ("train",))
    assert [sample.name for sample in samples] == ["a", "b", "a"]
    assert [sample.name for sample in find_samples([root], ("train", "val"))] == ["a", "b", "c"]
    with pytest.raises(DataError, match="same name: a;"):
        check_unique_names(samples)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, ">f4", np.float16])
def test_other_floats_and_grey_levels_keep_their_values(root, dtype):
    np.save(root / "train/image/a.npy", np.full((6, 8), 30, dtype))
    image, _ = dataset_of(root)[0]
    assert image.dtype == np.float32
    assert (image == 30).all()


def test_a_palette_label_is_read_as_indices(root):
    picture = Image.fromarray(LABEL, mode=None).convert("L")
    picture.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    picture.save(root / "train/label/b.png")
    assert Image.open(root / "train/label/b.png").mode == "P"
    np.testing.assert_array_equal(dataset_of(root)[1][1], LABEL)


def test_255_in_a_file_and_minus_1_in_a_config_are_ignored(root):
    cv2.imwrite(str(root / "train/label/a.png"), np.array([[0, 1, 2, 255]] * 6, np.uint8).repeat(2, 1))
    label = dataset_of(root, num_classes=2, remap_classes=[1, -1, 0])[0][1]
    assert label[0, ::2].tolist() == [1, 255, 0, 255]


@pytest.mark.parametrize("remap", [None, [0, 1, 2, -1]])
def test_a_value_without_a_class_names_file_and_value(root, remap):
    cv2.imwrite(str(root / "train/label/a.png"), np.full((6, 8), 9, np.uint8))
    with pytest.raises(DataError, match=r"label/a\.png: label value 9 without a class"):
        dataset_of(root, remap_classes=remap)[0]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".TIFF", ".bmp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_ordinary_pictures_train_too(tmp_path, suffix, channels):
    write_pair(tmp_path / "train", "a")
    (tmp_path / "train/image/a.npy").unlink()
    colour = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    Image.fromarray(colour if channels == 3 else colour[:, :, 0]).save(tmp_path / f"train/image/a{suffix}")
    image, _ = dataset_of(tmp_path, num_channels=channels)[0]
    assert image.shape == ((6, 8, 3) if channels == 3 else (6, 8))
    np.testing.assert_allclose(image[2, 3], (200, 100, 50)[:channels], atol=3)


def write_integers(root, suffix=".png", **faces):
    """Frames of hundredths of a kelvin, in deg C ``faces`` by name, without label."""
    for name, celsius in faces.items():
        numbers = np.round((celsius + 273.15) * 100).astype(np.uint16)
        if suffix == ".npy":
            np.save(root / f"{name}.npy", numbers)
        else:
            cv2.imwrite(str(root / f"{name}{suffix}"), numbers)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_integers_are_read_in_deg_c_as_in_predicting(tmp_path, suffix):
    face, nobody = np.where(np.arange(48).reshape(6, 8) % 3, 20.0, 34.0), np.full((6, 8), 20.0)
    write_integers(tmp_path, suffix, a=face, b=nobody, c=face)
    dataset = SegmentationDataset(find_test_samples(tmp_path), 3)
    for index, celsius in enumerate((face, nobody, face)):  # what one alone leaves open, all together tell
        np.testing.assert_allclose(dataset[index][0], celsius, atol=1e-4)
    assert "centikelvin" in dataset.notes[0]
    alone = read_thermal(tmp_path / f"a{suffix}").values
    np.testing.assert_array_equal(dataset[0][0], alone)
    counts = SegmentationDataset(find_test_samples(tmp_path), 3, reading=Reading(preset="none"))[0][0]
    np.testing.assert_array_equal(counts, np.round((face + 273.15) * 100))


def test_integers_of_unclear_meaning_end_a_run_before_its_first_step(tmp_path):
    write_integers(tmp_path, a=np.full((6, 8), 20.0))
    with pytest.raises(DataError, match="--temp_preset"):
        SegmentationDataset(find_test_samples(tmp_path), 3)
    reading = Reading(preset="centikelvin")
    assert SegmentationDataset(find_test_samples(tmp_path), 3, reading=reading)[0][0] == pytest.approx(20, abs=1e-4)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".bin"])
def test_every_format_of_predicting_trains(root, suffix):
    celsius = np.linspace(18, 36, 48, dtype=np.float32).reshape(6, 8)
    path = (root / "train/image/a.npy").with_suffix(suffix)
    (root / "train/image/a.npy").unlink()
    if suffix == ".csv":
        np.savetxt(path, celsius, "%.3f", ";")
    elif suffix == ".npz":
        np.savez(path, frame=celsius)
    else:
        path.write_bytes(np.round((celsius + 273.15) / 0.04).astype("<u2").tobytes())
    dataset = dataset_of(root, reading=Reading(raw_size=(8, 6)))
    assert dataset.sizes == ((6, 8), (6, 8))
    np.testing.assert_allclose(dataset[0][0], celsius, atol=0.021)


def test_frames_of_several_channels(tmp_path):
    write_pair(tmp_path / "train", "a", (6, 8, 4), value=3)
    assert dataset_of(tmp_path, num_channels=4)[0][0].shape == (6, 8, 4)
    with pytest.raises(DataError, match=r"a\.npy: its shape .*data\.num_channels 4"):
        dataset_of(tmp_path)


def test_a_single_trailing_channel_is_dropped(tmp_path):
    write_pair(tmp_path / "train", "a", (6, 8, 1))
    assert dataset_of(tmp_path)[0][0].shape == (6, 8)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"PK\x03\x04", b"\x80\x04N."]
)
@pytest.mark.parametrize("file", ["image/a.npy", "label/a.png"])
def test_damaged_files_are_named_before_the_first_step(root, file, content):
    (root / "train" / file).write_bytes(content)
    with pytest.raises(DataError, match=file):
        dataset_of(root)


def test_a_cut_off_image_is_named_before_the_first_step_and_a_cut_off_label_when_read(root):
    label = root / "train/label/b.png"
    label.write_bytes(label.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"label/b\.png"):
        dataset_of(root)[1]
    image = root / "train/image/a.npy"
    image.write_bytes(image.read_bytes()[:-4])
    with pytest.raises(DataError, match=r"image/a\.npy"):
        dataset_of(root)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_frame_that_is_not_finite_is_named(root, value):
    np.save(root / "train/image/a.npy", np.full((6, 8), value))
    with pytest.raises(DataError, match=r"a\.npy: 48 of 48 values aren't finite"):
        dataset_of(root)[0]


def test_image_and_label_of_different_size_are_named(root):
    cv2.imwrite(str(root / "train/label/a.png"), np.zeros((6, 9), np.uint8))
    with pytest.raises(DataError, match=r"label/a\.png: the label is 6x9.*image/a\.npy is 6x8"):
        dataset_of(root)


@pytest.mark.parametrize("picture", [np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8), np.uint16)])
def test_labels_of_another_kind_are_refused(root, picture):
    cv2.imwrite(str(root / "train/label/a.png"), picture)
    with pytest.raises(DataError, match=r"a\.png: expected an 8-bit grey or palette picture"):
        dataset_of(root)[0]


def test_pairs_that_are_not_complete_are_listed(root):
    (root / "train/label/a.png").unlink()
    (root / "train/image/b.npy").unlink()
    with pytest.raises(DataError, match="1 without label.*: a; 1 without image.*: b"):
        dataset_of(root)


def test_a_stem_twice_is_refused(root):
    cv2.imwrite(str(root / "train/image/a.png"), np.zeros((6, 8), np.uint8))
    with pytest.raises(DataError, match=r"a\.npy and a\.png have the same stem"):
        dataset_of(root)


def test_a_frame_in_both_splits_and_a_root_twice_are_refused(root):
    write_pair(root / "val", "a")
    with pytest.raises(DataError, match="in both train and val: a;"):
        find_samples([root], ("train", "val"))
    with pytest.raises(DataError, match="named twice"):
        find_samples([root, root / "."], ("train",))


@pytest.mark.parametrize("folders", [(), ("train/image",), ("train/image", "train/label")])
def test_missing_and_empty_folders_are_named(tmp_path, folders):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(DataError, match="image: no such folder|label: no such folder|image: no frames"):
        find_samples([tmp_path], ("train",))
    with pytest.raises(DataError, match="names no folder"):
        find_samples([], ("train",))


def test_the_folder_above_names_the_right_one(root):
    (root.parent / "data").mkdir(exist_ok=True)
    (root.parent / "data" / "Processed").symlink_to(root)
    with pytest.raises(DataError, match="Here that is .*data/Processed"):
        find_samples([root.parent / "data"], ("train",))


def test_hidden_and_other_files_are_no_data(root):
    for name in ("image/.x.npy.12.tmp", "image/._a.npy", "label/Thumbs.db", "label/.a.png"):
        (root / "train" / name).write_text("")
    assert len(dataset_of(root)) == 2


def test_a_test_folder_may_have_no_labels(tmp_path):
    np.save(tmp_path / "b.npy", np.ones((6, 8)))
    np.save(tmp_path / "a.npy", np.ones((4, 8)))
    samples = find_test_samples(tmp_path)
    dataset = SegmentationDataset(samples, 3)
    assert [sample.name for sample in samples] == ["a", "b"]
    assert dataset.sizes == ((4, 8), (6, 8))
    assert dataset[0][1] is None


def test_a_test_folder_with_labels_has_all_of_them(root):
    assert [sample.label.name for sample in find_test_samples(root / "train")] == ["a.png", "b.png"]
    (root / "train/label/a.png").unlink()
    with pytest.raises(DataError, match="1 without label"):
        find_test_samples(root / "train")


def test_a_test_folder_without_frames_is_named(tmp_path):
    with pytest.raises(DataError, match="no frames"):
        find_test_samples(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        find_test_samples(tmp_path / "nowhere")


def test_a_map_that_does_not_fit_is_a_config_error(root):
    with pytest.raises(ConfigError, match="remap_classes"):
        dataset_of(root, remap_classes=[0, 3])
