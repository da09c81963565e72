"""The figures: that they are there, count everything, choose frames by rule, and stay small."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from lib.models.build import build_network
from lib.utils.checkpoint import save_checkpoint
from lib.utils.config import load_config
from lib.utils.labels import IGNORE
from scripts.figures import demo, framework, histograms, moving_face, overlays, predictions, qualitative
from scripts.figures.style import CONFIG, evenly, say_origin


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An untrained network for the face's classes."""
    path = tmp_path_factory.mktemp("checkpoint") / "net.pth"
    size = [64, 64]
    flags = {"network.base_channels": 2, "train.data_transformer.input_size": size}
    flags["train_trans.random_crop.crop_size"] = size
    config, _ = load_config(CONFIG, flags)
    torch.manual_seed(0)
    content = {"state_dict": build_network(config).state_dict(), "config_dict": config.model_dump(mode="json")}
    save_checkpoint(path, content, config.to_yaml())
    return path


def size_of(path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_framework_is_drawn(tmp_path):
    assert framework.main(["--out", str(tmp_path / "a.png")]) == 0
    assert size_of(tmp_path / "a.png") == (int(130 * framework.WIDTH), int(130 * framework.HEIGHT))


def test_histograms_are_drawn(tiny_database, tmp_path):
    out = tmp_path / "a.png"
    arguments = [str(tiny_database), str(tiny_database / "val"), "--draws", "1", "--out", str(out)]
    assert histograms.main(arguments) == 0
    assert size_of(out)[0] > 1000


@pytest.mark.parametrize("synthetic", [True, False])
def test_figures_of_synthetic_frames_say_so(synthetic, tmp_path):
    if synthetic:
        (tmp_path / "synthetic.json").write_text("{}")
    figure = Figure()
    say_origin(figure, [tmp_path / "val"])
    assert bool(figure.texts) == synthetic


def test_histograms_count_every_pixel_that_is_not_ignored():
    rng = np.random.default_rng(0)
    image = rng.normal(25, 40, (20, 30)).astype(np.float32)  # far beyond the bins as well
    label = rng.choice([0, 1, 5, IGNORE], (20, 30)).astype(np.uint8)
    counts = histograms.count([(image, label, None)] * 2, load_config(CONFIG)[0].normalize)
    expected = [2 * (label == 0).sum(), 2 * np.isin(label, (1, 5)).sum()]
    assert [total.sum(1).tolist() for total in counts] == [expected, expected]


def test_overlap_is_none_of_disjoint_and_all_of_equal_distributions():
    assert histograms.overlap(np.array([[3, 1, 0, 0], [0, 0, 2, 2]])) == 0
    assert histograms.overlap(np.array([[3, 1, 0], [6, 2, 0]])) == pytest.approx(1)


def test_qualitative_is_drawn(tiny_database, checkpoint, tmp_path):
    out = tmp_path / "a.png"
    folder = str(tiny_database / "val")
    networks = [word for title in ("RMI", "RMI + TiAug", "Dice") for word in ("--network", title, str(checkpoint))]
    assert qualitative.main([folder, folder, *networks, "--frames", "1", "--out", str(out)]) == 0
    assert size_of(out)[0] > 1200


def test_two_columns_of_one_title_are_refused(tmp_path, capsys):
    networks = ["--network", "RMI", "a.pth", "--network", "RMI", "b.pth"]
    with pytest.raises(SystemExit):
        qualitative.main([str(tmp_path), str(tmp_path), *networks])
    assert "a title of its own" in capsys.readouterr().err


def test_frames_are_the_middles_of_equal_parts():
    assert evenly(range(12), 2) == [3, 9]
    assert evenly("abc", 3) == ["a", "b", "c"]


def test_occluders_hide_part_of_the_face_and_are_the_same_every_time():
    label = np.zeros((256, 320), np.uint8)
    label[60:180, 100:200] = 1
    picture = qualitative.Picture("controlled", np.full(label.shape, 30, np.float32) + label, label)
    first, second = (qualitative.occluded(picture, [0, 1]) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.label, label)
    assert ((first.image != picture.image) & (label == 1)).sum() > qualitative.COVERED * (label == 1).sum()


def test_missing_data_and_checkpoints_are_errors(tmp_path, capsys):
    nothing = str(tmp_path / "nothing")
    assert histograms.main([nothing, nothing]) == 2
    assert qualitative.main([nothing, nothing, "--network", "RMI", nothing]) == 2
    assert demo.main(["--resume", nothing]) == 2
    assert predictions.main(["--resume", nothing]) == 2
    assert capsys.readouterr().err.count("nothing") == 4


def test_the_demo_has_a_picture_for_every_frame(checkpoint, tmp_path):
    out = tmp_path / "a.gif"
    assert demo.main(["--resume", str(checkpoint), "--frames", "3", "--size", "64", "64", "--out", str(out)]) == 0
    with Image.open(out) as film:
        assert film.n_frames == 3
        assert film.info["loop"] == 0


def test_no_prediction_is_drawn_if_the_network_finds_no_nostrils(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(predictions, "ROUND", 1)
    arguments = ["--resume", str(checkpoint), "--rounds", "1", "--size", "64", "64", "--out_dir", str(tmp_path)]
    assert predictions.main(arguments) == 2
    assert f"{checkpoint}: finds too little of the nostrils" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_predictions_show_every_mask_above_the_temperatures():
    frames, labels = np.zeros((3, 40, 50), np.float32), [np.full((40, 50), index, np.uint8) for index in range(3)]
    temperatures = np.zeros((48, 90, 3), np.uint8)
    figure = predictions.draw(frames, labels, temperatures, load_config(CONFIG)[0])
    pictures = [axes.get_images()[0].get_array().shape for axes in figure.axes]
    assert len(pictures) == 4
    assert pictures[-1] == temperatures.shape


def test_overlays_are_tiled_in_the_order_of_their_names(tmp_path, capsys):
    for index in range(8):
        Image.new("RGB", (560, 400), (30 * index,) * 3).save(tmp_path / f"frame{index}.png")
    out = tmp_path / "sheet" / "a.png"
    assert overlays.main([str(tmp_path), "--columns", "2", "--rows", "2", "--out", str(out)]) == 0
    assert size_of(out) == (2 * overlays.WIDTH, 400)
    with Image.open(out) as sheet:
        shades = [sheet.getpixel((x, y))[0] for y in (100, 300) for x in (100, 400)]
    assert shades == [30, 90, 150, 210]
    (tmp_path / "frame0.png").write_bytes(b"no picture")
    assert overlays.main([str(tmp_path), "--columns", "9", "--out", str(out)]) == 2
    assert overlays.main([str(tmp_path), "--columns", "4", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "expected 18 PNGs or more, got 8" in said
    assert "frame0.png" in said


def test_a_gif_gives_up_colours_to_stay_small(monkeypatch):
    noise = list(np.random.default_rng(0).integers(0, 255, (4, 60, 80, 1), dtype=np.uint8).repeat(3, axis=3))
    large = len(demo.gif(noise))
    monkeypatch.setattr(demo, "MOST_BYTES", large * 3 // 4)
    assert len(demo.gif(noise)) <= large * 3 // 4


def test_the_face_moves_smoothly_and_ends_where_it_began():
    states = moving_face.states(90)
    yaw = np.array([state.pose.yaw for state in states])
    steps = np.abs(np.diff(yaw, append=yaw[0]))
    assert np.ptp(yaw) > 0.4
    assert steps.max() < 0.02
    breath = np.array([state.breath for state in states])
    assert ((breath[:-1] < 0) & (breath[1:] >= 0)).sum() + (breath[0] >= 0) == moving_face.BREATHS
