"""The command of the live view, from its words to the first frame that is shown."""

import json

import numpy as np
import pytest

from lib.utils.errors import DataError
from scripts import live
from segmentor.live import sources
from segmentor.live.server import LiveServer
from tests.metrics.faces import draw_face


@pytest.fixture
def served(monkeypatch, tmp_path):
    """What a server would show first, and where; it serves nothing and ends with Ctrl-C."""
    seen = {}

    def serve_forever(server):
        shown = server.session.newest(0, 60)
        seen.update(url=server.url, state=server.session.state(), result=server.session.result(shown))
        raise KeyboardInterrupt

    monkeypatch.setattr(LiveServer, "serve_forever", serve_forever)
    return seen


COMMON = ("--port", "0", "--gpu", "-1")


def test_without_a_source_it_is_the_first_camera(monkeypatch, capsys):
    def camera_frames(index):
        raise DataError(f"camera {index} is not there")

    monkeypatch.setattr(sources, "camera_frames", camera_frames)
    assert live.main(["--gpu", "-1"]) == 2
    assert "camera 0 is not there" in capsys.readouterr().err


def test_a_file_is_shown_with_the_network_that_comes_with_the_repository(served, tmp_path, capsys):
    frames = np.stack([20 + 2 * draw_face((64, 72))[0].astype(np.float32)] * 2)
    np.save(tmp_path / "sequence.npy", frames)
    assert live.main([str(tmp_path / "sequence.npy"), "--fps", "200", *COMMON]) == 130
    assert served["url"].startswith("http://127.0.0.1:")
    assert "#" not in served["url"]
    assert served["result"]["name"].startswith("sequence_00000")
    assert [region["name"] for region in served["result"]["regions"]][-1] == "nose tip"
    assert json.dumps(served["state"])
    assert served["url"] in capsys.readouterr().out


@pytest.mark.parametrize(("words", "complaint"), [
    (["nowhere.npy"], "nowhere.npy: no such file or folder"),
    (["0", "--temp_preset", "warm"], "temp_preset"),
    (["-", "--host", "no such host"], "no such host"),
])  # fmt: skip
def test_what_can_not_be_is_named(words, complaint, capsys, tmp_path):
    assert live.main([*words, "--port", "0", "--gpu", "-1"]) == 2
    assert complaint in capsys.readouterr().err
