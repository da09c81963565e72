"""Pictures in colours: the levels that their palette was given, or a word that they aren't known."""

import io
import logging

import cv2
import numpy as np
import pytest
from PIL import Image

from lib.thermal import Reading, open_sequence, read_thermal
from lib.thermal.formats.colours import UNKNOWN, rises_with_brightness
from lib.thermal.formats.palettes import palettes
from tests.thermal.files import encoded, scene

HEIGHT, WIDTH = 96, 128


def levels_of(celsius: np.ndarray) -> np.ndarray:
    return np.round((celsius - celsius.min()) / np.ptp(celsius) * 255).astype(np.uint8)


LEVELS = levels_of(scene(0, HEIGHT, WIDTH))


def picture(colours: np.ndarray, kind: str, **options) -> bytes:
    """A picture of (H, W, 3) RGB."""
    file = io.BytesIO()
    Image.fromarray(colours).save(file, kind, **options)
    return file.getvalue()


def jet(position: np.ndarray) -> np.ndarray:
    """MATLAB's jet: blue, cyan, yellow and red ramps of slope 4; (H, W, 3) uint8 of 0 to 1."""
    channels = [np.clip(1.5 - np.abs(4 * position - centre), 0, 1) for centre in (3, 2, 1)]
    return np.round(255 * np.stack(channels, axis=-1)).astype(np.uint8)


def turbo(position: np.ndarray) -> np.ndarray:
    """Turbo by its published polynomial approximation (A. Mikhailov, 2019), of degree 5 a channel."""
    powers = np.stack([position**power for power in range(6)], axis=-1)
    coefficients = [
        [0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
        [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
        [0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
    ]
    return np.clip(255 * powers @ np.array(coefficients).T, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("draw", [jet, turbo])
@pytest.mark.parametrize(("suffix", "options"), [("PNG", {}), ("JPEG", {"quality": 75}), ("TIFF", {}), ("BMP", {})])
def test_levels_come_back_from_colours_drawn_by_formula(tmp_path, draw, suffix, options):
    path = tmp_path / f"a.{suffix.lower()}"
    path.write_bytes(picture(draw(LEVELS / 255), suffix, **options))
    frame = read_thermal(path)
    assert not frame.radiometric
    assert draw.__name__ in frame.note
    errors = np.abs(frame.values - LEVELS)
    assert np.median(errors) <= 3
    assert np.corrcoef(frame.values.ravel(), LEVELS.ravel())[0, 1] > (0.97 if suffix == "JPEG" else 0.99)


@pytest.mark.parametrize("name", palettes())
def test_every_palette_is_told_and_inverted(tmp_path, name):
    path = tmp_path / "a.png"
    path.write_bytes(picture(palettes()[name].colours[LEVELS], "PNG"))
    # Positions that share their colour with others can't be told from these.
    assert np.corrcoef(read_thermal(path).values.ravel(), LEVELS.ravel())[0, 1] > 0.998


@pytest.mark.parametrize("name", ["jet", "turbo", "rainbow", "blue to red"])
def test_a_palette_of_which_little_is_used_is_told_by_the_rest(tmp_path, name):
    warm = (155 + LEVELS / 2.6).astype(np.uint8)
    warm[:9] = np.linspace(0, 150, WIDTH)  # a cold sky: 9 % of the frame
    for levels in (warm, 255 - warm):
        path = tmp_path / "a.png"
        path.write_bytes(picture(palettes()[name].colours[levels], "PNG"))
        assert np.abs(read_thermal(path).values - levels).max() <= 1


def test_arrays_of_colours_are_read_by_their_palette(tmp_path):
    np.save(tmp_path / "a.npy", jet(LEVELS / 255))
    np.save(tmp_path / "b.npy", np.stack([jet(LEVELS / 255)] * 2))
    assert np.abs(read_thermal(tmp_path / "a.npy").values - LEVELS).max() <= 2
    for _, frame in open_sequence(tmp_path / "b.npy", Reading(axes="THWC")):
        assert np.abs(frame.values - LEVELS).max() <= 2


def test_pictures_with_a_colour_table_are_read_by_their_colours(tmp_path):
    path = tmp_path / "a.png"
    file = io.BytesIO()
    indexed = Image.fromarray(255 - LEVELS)
    indexed.putpalette(palettes()["jet"].colours[::-1].tobytes())
    indexed.save(file, "PNG")
    path.write_bytes(file.getvalue())
    assert np.abs(read_thermal(path).values - LEVELS).max() <= 1


def test_text_and_a_scale_over_the_picture_do_not_matter(tmp_path):
    colours = jet(LEVELS / 255)
    cv2.putText(colours, "36.5", (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255))
    path = tmp_path / "a.png"
    path.write_bytes(picture(colours, "PNG"))
    assert np.mean(np.abs(read_thermal(path).values - LEVELS) <= 1) > 0.95


def test_videos_in_colours_are_read_by_their_palette_from_the_first_coloured_frame(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    for colours in (np.zeros((HEIGHT, WIDTH, 3), np.uint8), jet(LEVELS / 255)):
        writer.write(np.ascontiguousarray(colours[:, :, ::-1]))
    writer.release()
    (_, black), (_, frame) = open_sequence(tmp_path / "a.avi")
    assert black.values.max() < 10
    assert "jet" in frame.note
    assert np.corrcoef(frame.values.ravel(), LEVELS.ravel())[0, 1] > 0.97


def test_grey_with_marks_in_colours_stays_grey(tmp_path):
    colours = np.dstack([LEVELS] * 3)
    colours[40:44, 40:80] = (255, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(picture(colours, "PNG"))
    frame = read_thermal(path)
    assert (frame.values == cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)).all()


def unknown() -> np.ndarray:
    """A palette that nobody has, in which brightness falls and rises."""
    places = [0, 64, 128, 192, 255]
    ends = np.array([(250, 120, 250), (90, 10, 20), (20, 200, 90), (120, 90, 0), (210, 250, 250)])
    return np.stack([np.interp(LEVELS, places, channel) for channel in ends.T], axis=-1).astype(np.uint8)


def test_unknown_colours_are_read_with_a_warning_once_a_folder(tmp_path, caplog):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture(unknown(), "PNG"))
    with caplog.at_level(logging.WARNING, "samcl"):
        notes = [frame.note for _, frame in open_sequence(tmp_path)]
    assert all(UNKNOWN in note for note in notes)
    assert [record.message for record in caplog.records] == [f"{tmp_path / 'a.png'}: {UNKNOWN}"]


def test_colours_that_brightness_tells_apart_need_no_warning(tmp_path, caplog):
    ends = np.array([(0, 0, 40), (30, 120, 60), (255, 225, 215)])
    colours = np.stack([np.interp(LEVELS, [0, 128, 255], channel) for channel in ends.T], axis=-1).astype(np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(picture(colours, "PNG"))
    with caplog.at_level(logging.WARNING, "samcl"):
        frame = read_thermal(path)
    assert not caplog.records
    assert np.corrcoef(frame.values.ravel(), LEVELS.ravel())[0, 1] > 0.98


@pytest.mark.parametrize(("name", "rises"), [("inferno", True), ("iron", True), ("jet", False), ("turbo", False)])
def test_brightness_tells_the_colours_of_some_palettes(name, rises):
    assert rises_with_brightness(palettes()[name].colours[LEVELS].reshape(-1, 3)) is rises


def test_few_colours_that_several_palettes_share_are_not_guessed(tmp_path):
    """Blue to cyan lies in jet and, the other way round, in other rainbows: whichever it is, the order is kept."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(".png", jet(LEVELS / 255 * 0.25 + 0.12)[:, :, ::-1]))
    assert abs(np.corrcoef(read_thermal(path).values.ravel(), LEVELS.ravel())[0, 1]) > 0.95
