"""Frames of the wide world: what they hold, what labels show, the same frames from the same seed."""

import json

import numpy as np
import pytest

from lib.datasets.dataset import SegmentationDataset, find_samples
from lib.datasets.landmarks import draw_labels
from lib.synthetic import draw_subject
from lib.synthetic.accessories import Accessories
from lib.synthetic.annotation import annotated_landmarks
from lib.synthetic.body import FrameState, Pose, apply_pose, draw_clothes, person_surfaces
from lib.synthetic.face import Expression
from lib.synthetic.face_parts import head_parts
from lib.synthetic.mean_head import grid_sites, mean_landmarks, sample
from lib.synthetic.raster import Surface, View, render, render_with_parts
from lib.synthetic.wild import synthesize_wild
from lib.synthetic.wild.database import make_wild_frame
from lib.synthetic.wild.glasses import glasses_surfaces
from lib.synthetic.wild.people import draw_seated, draw_stance
from lib.synthetic.wild.places import render_cabin
from lib.synthetic.wild.sensor import equalise_with_plateau, simulate_camera
from lib.synthetic.wild.skin import draw_wild_subject
from lib.utils.errors import DataError

VIEW = View(192, 192, (0.0, 0.0), 1 / 24, 200.0)


def head_seen(yaw):
    """Label of one bare head, and the head's points, at a yaw in rad."""
    rng = np.random.default_rng(0)
    clothes = draw_clothes(rng, 27.0, Accessories())
    state = FrameState(Pose(yaw, 0.0, 0.0, yaw), Expression(), 0.0)
    surfaces, face = person_surfaces(draw_subject(rng), clothes, state, 22.0, 0.0)
    head = Surface(surfaces[0].points, surfaces[0].temperature, closed=True, part=head_parts())
    _, parts = render_with_parts([head], VIEW, 22.0, np.full((192, 192), 22, np.float32))
    return np.maximum(parts, 0).astype(np.uint8), face


def test_a_frontal_face_shows_the_hulls_of_its_landmarks():
    seen, face = head_seen(0.0)
    landmarks = sample(face, grid_sites(annotated_landmarks()))
    hulls = draw_labels(VIEW.project(landmarks)[:, ::-1], seen.shape)
    least = {1: 0.9, 2: 0.8, 3: 0.5, 4: 0.5, 5: 0.3, 6: 0.3, 7: 0.8}  # brows are two pixels high here
    for part in least:
        overlap = ((seen == part) & (hulls == part)).sum() / ((seen == part) | (hulls == part)).sum()
        assert overlap > least[part], f"part {part}"


def test_what_is_turned_away_has_no_label():
    left_eye, right_eye = 3, 4
    for yaw, hidden, shown in ((1.4, right_eye, left_eye), (-1.4, left_eye, right_eye)):
        seen, _ = head_seen(yaw)
        assert (seen == shown).sum() > 5
        assert not (seen == hidden).any()
    assert (head_seen(np.pi)[0] > 0).sum() < 5, "the back of a head is no face"


def test_thermal_frames_are_annotated_more_narrowly():
    def size(points, part):
        return np.ptp(points[part, :2], axis=0)

    seen, usual = annotated_landmarks(), mean_landmarks()
    for eye in (range(36, 42), range(42, 48)):
        assert (size(seen, eye) < size(usual, eye)).all()
    assert seen[19, 1] > usual[19, 1], "brows nearer to the eyes"
    hull = seen[48:60, :2]
    assert len(np.unique(hull.round(6), axis=0)) == 5, "a mouth of four points about its middle"


def test_glasses_of_any_form_hide_what_is_behind_them():
    clothes = draw_clothes(np.random.default_rng(0), 27.0, Accessories())
    state = FrameState(Pose(0.0, 0.0, 0.0, 0.0), Expression(), 0.0)
    surfaces, _ = person_surfaces(draw_subject(np.random.default_rng(0)), clothes, state, 22.0, 0.0)
    head = Surface(surfaces[0].points, surfaces[0].temperature, closed=True, part=head_parts())
    areas = []
    for seed in range(5):
        lenses = glasses_surfaces(22.0, np.random.default_rng(seed))
        moved = [Surface(apply_pose(item.points, state.pose), item.temperature, item.keep) for item in lenses]
        _, parts = render_with_parts([head, *moved], VIEW, 22.0, np.full((192, 192), 22, np.float32))
        areas.append(sum(int((parts == eye).sum()) for eye in (3, 4)))
    assert max(areas) <= 10


def test_every_difference_within_a_face_has_either_sign():
    skins = [draw_wild_subject(np.random.default_rng(seed)).skin for seed in range(10)]
    for part in ("lips", "nose", "forehead", "neck"):
        more = [getattr(skin, part) - skin.cheek for skin in skins]
        assert min(more) < 0 < max(more), part


def test_who_sits_before_a_camera_looks_about_its_way():
    yaw = np.array([draw_seated(np.random.default_rng(seed)).yaw for seed in range(200)])
    assert (np.abs(yaw) < 1.3).all()
    assert yaw.std() > 0.3


def test_a_cabin_is_about_as_warm_as_its_air():
    for seed in range(5):
        cabin = render_cabin(60, 80, 18.0, np.random.default_rng(seed))
        assert cabin.shape == (60, 80)
        assert abs(float(np.median(cabin)) - 18.0) < 6


def test_the_nearest_surface_gives_the_part():
    def sheet(z, part):
        x, y = np.meshgrid(np.linspace(-5, 5, 30), np.linspace(-5, 5, 30))
        points = np.stack([x, y, np.full_like(x, z)], -1).astype(np.float32)
        return Surface(points, np.full(x.shape, 30.0, np.float32), part=np.full(x.shape, part, np.uint8))

    background = np.full((192, 192), 20, np.float32)
    surfaces = [sheet(0.0, 3), sheet(10.0, 5)]
    for order in (surfaces, surfaces[::-1]):
        image, parts = render_with_parts(order, VIEW, 22.0, background)
        assert set(np.unique(parts)) == {-1, 5}
        np.testing.assert_array_equal(image, render(order, VIEW, 22.0, background))


def test_people_are_turned_every_way():
    yaw = np.array([draw_stance(np.random.default_rng(seed)).yaw for seed in range(400)]) % (2 * np.pi)
    filled = np.histogram(yaw, bins=8, range=(0, 2 * np.pi))[0]
    assert (filled > 5).all()
    away = np.array([draw_stance(np.random.default_rng(seed), away=True).yaw for seed in range(50)])
    assert (np.cos(away) < 0.3).all()


def test_every_camera_delivers_finite_values_of_the_scene():
    scene = np.tile(np.linspace(20, 36, 64, dtype=np.float32), (48, 1))
    for seed in range(40):
        image = simulate_camera(scene, np.random.default_rng(seed))
        assert image.shape == scene.shape
        assert np.isfinite(image).all()
        assert image[:, -16:].mean() > image[:, :16].mean() + 3, "warm stays warm"


def test_equalisation_keeps_the_order_and_a_plateau_limits_it():
    grey = np.concatenate([np.full(900, 0.1), np.linspace(0, 1, 100)]).astype(np.float32)[None]
    full, limited = (equalise_with_plateau(grey, plateau) for plateau in (500.0, 1.5))
    for equal in (full, limited):
        assert (np.diff(equal[0, 900:]) >= 0).all()
        assert equal.min() >= 0
        assert equal.max() <= 1
    assert np.abs(limited - grey).mean() < np.abs(full - grey).mean()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wild")
    synthesize_wild(folder, train=3, val=1, height=64, width=80, seed=5, workers=0)
    return folder


def test_the_folder_trains_like_any_other(database):
    samples = find_samples([database], ("train", "val"))
    dataset = SegmentationDataset(samples, 6, [0, 1, 2, 3, 3, 4, 4, 5])
    assert len(dataset) == 4
    image, label = dataset[0]
    assert (image.shape, image.dtype, label.shape) == ((64, 80), np.float32, (64, 80))


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(database, tmp_path):
    first = np.load(sorted((database / "train/image").glob("*.npy"))[0])
    np.testing.assert_array_equal(first, make_wild_frame(5, "train", 0, 64, 80)[0].astype(np.float16))
    assert not np.array_equal(first, make_wild_frame(6, "train", 0, 64, 80)[0].astype(np.float16))


def test_no_person_is_in_both_splits(database):
    subjects = [
        {path.name.split("_")[1] for path in (database / split / "image").iterdir()} for split in ("train", "val")
    ]
    assert not subjects[0] & subjects[1]


def test_other_options_are_refused(database):
    assert json.loads((database / "synthetic_wild.json").read_text())["seed"] == 5
    with pytest.raises(DataError, match="choose another folder"):
        synthesize_wild(database, train=1, val=0, height=64, width=80, seed=6, workers=0)


def test_a_folder_of_other_frames_is_refused(tmp_path):
    (tmp_path / "train/label").mkdir(parents=True)
    (tmp_path / "train/label/mine.png").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"not synthetic \(no synthetic_wild\.json\)"):
        synthesize_wild(tmp_path, 1, 0, 48, 64)
    assert not (tmp_path / "train/image").exists()
