"""The synthetic database: layout, determinism, temperatures, people who stay themselves, landmarks on what is seen."""

import json
from dataclasses import replace
from functools import cache, lru_cache

import cv2
import numpy as np
import pytest

from lib.synthetic import draw_sequence, draw_subject, render_frame, synthesize
from lib.synthetic.body import Pose, apply_pose
from lib.synthetic.database import FrameName, Options, make_frame
from lib.synthetic.face import Expression, apply_expression, landmarks_of
from lib.synthetic.mean_head import mean_head, mean_landmarks, sample
from lib.synthetic.raster import Surface, View, render
from lib.utils.errors import DataError

HEIGHT, WIDTH = 192, 256
PUBLISHED_GROUPS = {
    "chin": (0, 16), "leyebrow": (17, 21), "reyebrow": (22, 26), "centernose": (27, 30), "bottomnose": (31, 35),
    "leye": (36, 41), "reye": (42, 47), "outermouth": (48, 59), "innermouth": (60, 67),
}  # fmt: skip


@cache
def frame_of(subject, sequence=1, frame=1, unconstrained=False):
    return make_frame(FrameName(subject, sequence, frame), Options(HEIGHT, WIDTH, 0, unconstrained))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    synthesize(folder, subjects=2, frames=5, height=96, width=128, seed=3, workers=0)
    return folder


def test_files_have_the_layout_of_the_thermal_face_database(database):
    stems = sorted(path.name.removesuffix(".npy") for path in database.glob("*.npy"))
    frames = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1)]  # four to a sequence
    assert stems == [f"irface_sub00{s}_seq{q:02d}_frm{f:05d}.jpg_lfb" for s in (1, 2) for q, f in frames]
    for stem in stems:
        temperature = np.load(database / f"{stem}.npy")
        assert temperature.shape == (96, 128)
        assert temperature.dtype == np.float32
        assert np.isfinite(temperature).all()


def test_ljson_holds_68_points_as_y_x_and_the_published_groups(database):
    content = json.loads((database / "irface_sub001_seq01_frm00001.jpg_lfb.ljson").read_text())
    points = np.array(content["landmarks"]["points"])
    assert points.shape == (68, 2)
    masks = {group["label"]: group["mask"] for group in content["labels"]}
    assert masks == {name: list(range(first, last + 1)) for name, (first, last) in PUBLISHED_GROUPS.items()}
    y, x = points.T
    assert y[8] > y[57] > y[30] > y[27], "chin below mouth below nose tip below the bridge"
    assert x[16] > x[45] > x[36] > x[0], "left to right in the image"
    written, expected = points, make_frame(FrameName(1, 1, 1), Options(96, 128, 3, False))[1]
    np.testing.assert_allclose(written, expected, atol=1e-3)


def test_the_folder_says_that_it_is_synthetic_and_how_it_was_made(database):
    stated = json.loads((database / "synthetic.json").read_text())
    assert stated["synthetic"] is True
    assert (stated["height"], stated["width"], stated["seed"], stated["unconstrained"]) == (96, 128, 3, False)


def test_frames_depend_neither_on_workers_nor_on_how_many_there_are(database, tmp_path):
    synthesize(tmp_path, subjects=1, frames=2, height=96, width=128, seed=3, workers=2)
    reference = contents(database)
    made = contents(tmp_path)
    assert len(made) == 5
    assert all(reference[name] == content for name, content in made.items())


def test_another_seed_gives_other_people():
    first, second = (make_frame(FrameName(1, 1, 1), Options(96, 128, seed, False))[0] for seed in (0, 1))
    assert np.abs(first - second).mean() > 0.5


def test_running_again_keeps_complete_frames_and_remakes_incomplete_ones(tmp_path):
    options = {"subjects": 1, "frames": 2, "height": 48, "width": 64, "workers": 0}
    first, second = synthesize(tmp_path, **options)
    before = contents(tmp_path)
    stamp = first.stat().st_mtime_ns
    second.with_suffix(".ljson").unlink()
    synthesize(tmp_path, **options)
    assert first.stat().st_mtime_ns == stamp
    assert contents(tmp_path) == before


def test_other_options_in_the_same_folder_are_refused_with_the_remedy(database):
    before = contents(database)
    with pytest.raises(DataError, match=r"same options, choose another folder"):
        synthesize(database, subjects=2, frames=5, height=96, width=128, seed=4, workers=0)
    assert contents(database) == before


def test_a_folder_of_real_frames_is_refused(tmp_path):
    (tmp_path / "irface_sub001_seq01_frm00001.jpg_lfb.ljson").write_text("{}")
    with pytest.raises(DataError, match="not synthetic"):
        synthesize(tmp_path, subjects=1, frames=1, height=48, width=64, workers=0)


@pytest.mark.parametrize("fault", [{"subjects": 0}, {"frames": 0}, {"height": 10}, {"width": 9999}, {"seed": -1}])
def test_impossible_options_are_named(tmp_path, fault):
    with pytest.raises(DataError, match=next(iter(fault))):
        synthesize(tmp_path, **{"subjects": 1, "frames": 1, "height": 48, "width": 64, **fault})


def mean_near(image, point, radius=1):
    y, x = np.rint(point).astype(int)
    return float(image[y - radius : y + radius + 1, x - radius : x + radius + 1].mean())


def regions_of(subject):
    image, p = frame_of(subject)
    forehead = (p[21] + p[22]) / 2 + 0.35 * (p[27] - p[33])
    cheeks = (p[31] + p[3] + p[36]) / 3, (p[35] + p[13] + p[45]) / 3
    return {
        "forehead": mean_near(image, forehead),
        "inner canthus": (mean_near(image, p[39]) + mean_near(image, p[42])) / 2,
        "outer canthus": (mean_near(image, p[36]) + mean_near(image, p[45])) / 2,
        "cheek": (mean_near(image, cheeks[0]) + mean_near(image, cheeks[1])) / 2,
        "nose": mean_near(image, p[30]),
        "lips": (mean_near(image, (p[51] + p[62]) / 2, 0) + mean_near(image, (p[57] + p[66]) / 2, 0)) / 2,
        "brow": (mean_near(image, p[19]) + mean_near(image, p[24])) / 2,
        "background": float(np.median(image[:20, :10])),
    }


@lru_cache(maxsize=1)
def regions():
    rows = [regions_of(subject) for subject in range(1, 25)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("region", "mean", "deviation"),
    [("forehead", 33.4, 0.8), ("inner canthus", 34.3, 0.7), ("outer canthus", 32.8, 0.7), ("cheek", 32.0, 0.7)],
)
def test_regions_have_the_stated_temperatures_and_spreads(region, mean, deviation):
    values = regions()[region]
    assert abs(np.median(values) - mean) < 0.5
    spread = np.subtract(*np.percentile(values, (75, 25))) / 1.35  # robust: a fringe may cover a forehead
    assert 0.4 * deviation < spread < 1.7 * deviation


def test_nose_lips_and_surroundings_lie_in_the_stated_ranges():
    values = regions()
    assert 28 < np.median(values["nose"]) < 33
    assert np.percentile(values["nose"], 5) > 27
    assert np.percentile(values["nose"], 95) < 33.5
    assert np.percentile(values["lips"], 10) > 32.5
    assert np.percentile(values["lips"], 90) < 35
    assert np.percentile(values["background"], 10) > 17
    assert np.percentile(values["background"], 90) < 28


def test_a_face_has_the_contrasts_of_a_thermal_face():
    values = regions()
    for cool, warm in (("nose", "inner canthus"), ("brow", "forehead"), ("outer canthus", "inner canthus")):
        assert np.mean(values[cool] < values[warm]) > 0.8, f"{cool} is cooler than {warm}"
    assert np.all(values["background"] < values["cheek"])


@pytest.mark.parametrize("unconstrained", [False, True])
def test_readings_stay_between_5_and_50_degrees(unconstrained):
    for subject in range(1, 9):
        image, _ = frame_of(subject, unconstrained=unconstrained)
        assert image.min() > 5
        assert image.max() < 50


def test_landmarks_of_controlled_faces_lie_in_what_preparation_keeps():
    for subject in range(1, 25):
        _, points = frame_of(subject)
        assert points[:, 0].min() >= 0
        assert points[:, 0].max() <= HEIGHT - 1
        assert points[:, 1].min() >= WIDTH / 32
        assert points[:, 1].max() <= WIDTH - 1 - WIDTH / 32


def shape_vector(points):
    """Landmarks without position and size."""
    centred = points - points.mean(0)
    return centred / np.linalg.norm(centred)


def test_a_person_keeps_the_face_and_people_differ():
    people = [draw_subject(np.random.default_rng([5, number])).shape for number in range(4)]
    sites = mean_head().landmark_sites
    calm = [Expression(), Expression(jaw=0.03, lips=0.2), Expression(smile=0.2, brow=0.2)]
    faces = [[shape_vector(sample(apply_expression(person, state), sites)) for state in calm] for person in people]
    within = [np.linalg.norm(a - b) for face in faces for a in face for b in face if a is not b]
    between = [np.linalg.norm(faces[i][k] - faces[j][k]) for i in range(4) for j in range(i) for k in range(len(calm))]
    assert max(within) < np.mean(between)
    assert np.mean(within) < 0.6 * np.mean(between)


def test_a_person_keeps_skin_and_hair_over_sequences():
    first, again, other = (draw_subject(np.random.default_rng([0, number])) for number in (1, 1, 2))
    assert first.skin == again.skin
    assert first.skin != other.skin
    np.testing.assert_array_equal(first.bare_skin, again.bare_skin)
    np.testing.assert_array_equal(first.hair, again.hair)


def test_expressions_move_the_landmarks_that_they_name():
    shape = mean_head().points
    sites = mean_head().landmark_sites

    def gap(expression, upper, lower):
        points = sample(apply_expression(shape, expression), sites)
        return points[lower, 1] - points[upper, 1]

    assert gap(Expression(), 62, 66) < 0.1 < 1.0 < gap(Expression(jaw=0.25), 62, 66)
    assert gap(Expression(blink=1.0), 37, 41) < 0.35 * gap(Expression(), 37, 41)
    assert gap(Expression(brow=1.0), 19, 37) > gap(Expression(), 19, 37) + 0.3
    smile, rest = (sample(apply_expression(shape, Expression(smile=s)), sites) for s in (1.0, 0.0))
    assert smile[54, 0] - smile[48, 0] > rest[54, 0] - rest[48, 0] + 0.5


def test_the_surface_goes_through_the_mean_landmarks():
    head = mean_head()
    np.testing.assert_allclose(sample(head.points, head.landmark_sites), mean_landmarks(), atol=0.02)


def test_jaw_points_that_turn_away_move_to_the_outline():
    turned = apply_pose(mean_head().points, Pose(yaw=0.6, pitch=0.0, roll=0.0, body_yaw=0.0))
    points = landmarks_of(turned)
    hidden = sample(turned, mean_head().landmark_sites)
    assert points[14, 0] > hidden[14, 0] + 0.1, "the far cheek reaches its outline"
    np.testing.assert_allclose(points[1:8], hidden[1:8], atol=0.2)
    np.testing.assert_allclose(points[17:], hidden[17:])


def test_landmarks_lie_on_what_is_drawn():
    """A head whose temperature is 30 but for a spot at a landmark shows the spot at the projected landmark."""
    head = mean_head()
    pose = Pose(yaw=0.3, pitch=-0.1, roll=0.15, body_yaw=0.0)
    view = View(480, 640, (0.05, 0.2), 0.035, 80.0)
    points = apply_pose(head.points, pose)
    for index in (8, 19, 30, 45, 48):
        spot = np.linalg.norm(head.points - mean_landmarks()[index], axis=-1) < 0.35
        surface = Surface(points, np.where(spot, 40, 30).astype(np.float32), closed=True)
        image = render([surface], view, 30.0, np.full((480, 640), 30, np.float32))
        weight = np.clip(image - 30, 0, None)
        y, x = ((weight * grid).sum() / weight.sum() for grid in np.mgrid[:480, :640])
        expected = view.project(sample(points, head.landmark_sites[index]))
        assert np.hypot(*(np.array([x, y]) - expected)) < 3.0


def test_near_surfaces_hide_far_ones_without_holes():
    def plane(z, temperature, half):
        x, y = np.meshgrid(np.linspace(-half, half, 7), np.linspace(-half, half, 5))
        points = np.stack([x, y, np.full_like(x, z)], axis=-1).astype(np.float32)
        return Surface(points, np.full(x.shape, temperature, np.float32))

    view = View(100, 100, (0.0, 0.0), 0.05, 100.0)
    image = render([plane(0, 35.0, 8), plane(2, 25.0, 4)], view, 20.0, np.full((100, 100), 20, np.float32))
    np.testing.assert_allclose(image[35:65, 35:65], 25, atol=1e-3)
    np.testing.assert_allclose(image[15:24, 15:85], 35, atol=1e-3)
    np.testing.assert_allclose(image[:8], 20, atol=1e-3)


@pytest.mark.parametrize("netd", [0.02, 0.1])
def test_noise_has_the_size_that_the_camera_states(netd):
    subject = draw_subject(np.random.default_rng([0, 1]))
    sequence = replace(draw_sequence(np.random.default_rng([0, 1, 1])), things=0)
    assert 0.02 <= sequence.camera.netd <= 0.1
    noisy, clean = (
        render_frame(
            subject, replace(sequence, camera=replace(sequence.camera, netd=n)), np.random.default_rng(9), 192, 256
        )[0]
        for n in (netd, 0.0)
    )
    assert np.std(noisy - clean) == pytest.approx(netd, rel=0.05)
    wall = noisy[:60, :40]
    assert np.std(np.diff(wall, n=2, axis=1) / np.sqrt(6)) == pytest.approx(netd, rel=0.15)


def test_smaller_frames_show_the_same_scene():
    subject = draw_subject(np.random.default_rng([0, 2]))
    sequence = draw_sequence(np.random.default_rng([0, 2, 1]))
    sequence = replace(sequence, camera=replace(sequence.camera, netd=0.0))
    (large, large_points), (small, small_points) = (
        render_frame(subject, sequence, np.random.default_rng(4), height, height * 4 // 3) for height in (768, 192)
    )
    np.testing.assert_allclose((large_points + 0.5) / 4, small_points + 0.5, atol=0.05)
    reduced = cv2.resize(large, (256, 192), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced - small).mean() < 0.1


def test_unconstrained_widens_the_variety():
    def spread(unconstrained):
        frames = [frame_of(subject, unconstrained=unconstrained) for subject in range(1, 17)]
        surroundings = [np.median(image) for image, _ in frames]
        sizes = [points[8, 0] - points[27, 0] for _, points in frames]
        cut_off = np.mean([not (points.min() >= 0 and (points.max(0) < (HEIGHT, WIDTH)).all()) for _, points in frames])
        return np.std(surroundings), np.std(sizes), cut_off

    controlled, unconstrained = spread(False), spread(True)
    assert unconstrained[0] > 1.5 * controlled[0]
    assert unconstrained[1] > 1.5 * controlled[1]
    assert controlled[2] == 0 < unconstrained[2]


def test_what_is_worn_and_held_changes_the_picture_but_not_the_landmarks():
    subject = draw_subject(np.random.default_rng([0, 1]))
    sequence = draw_sequence(np.random.default_rng([0, 1, 1]))

    def render(**worn):
        accessories = replace(sequence.clothes.accessories, seed=1, **worn)
        dressed = replace(sequence, clothes=replace(sequence.clothes, accessories=accessories))
        return render_frame(subject, dressed, np.random.default_rng(2), HEIGHT, WIDTH)

    bare, points = render()
    for item, covered in (("glasses", [37, 44]), ("mask", [62, 66]), ("hat", [])):
        image, same_points = render(**{item: True})
        np.testing.assert_array_equal(points, same_points)
        changed = np.abs(image - bare) > 0.4
        assert 0.003 < changed.mean() < 0.4
        y, x = np.rint(points[covered]).astype(int).T
        assert changed[y, x].all(), f"{item} hides what is behind"
