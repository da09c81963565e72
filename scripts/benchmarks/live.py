"""How many frames a second a live view brings to its page."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from lib.thermal import ThermalFrame
from lib.utils.machine import keep_freed_memory
from lib.utils.runtime import start_runtime
from lib.vis.palette import palette_of
from scripts.benchmarks.measure import Row, Samples, Section, at_most
from scripts.benchmarks.predicting import WEIGHTS
from scripts.benchmarks.setup import SEQUENCE_SIZE, Setup
from scripts.figures.moving_face import film, set_up
from scripts.prediction import config_of
from segmentor.live.saving import SavedFrames
from segmentor.live.server import LiveServer
from segmentor.live.session import LiveSession, build_find
from segmentor.live.sources import LiveFrame, Source

FASTEST = 15.0  # frames a second
CAMERA_FPS = 30.0
DRAWN = 60
SEED = 2


def measure_live(setup: Setup) -> Section:
    """Source, network, pictures and server in one process, with a client in the place of a browser."""
    keep_freed_memory()  # as in every run on a CPU
    frames = list(film(set_up(*SEQUENCE_SIZE, SEED), setup.pick(DRAWN, 6), SEQUENCE_SIZE, SEED))
    config = config_of(WEIGHTS, {"gpu": [-1]})
    names, palette = config.data.names, palette_of(config.data.num_classes, config.data.palette)
    source = Source("a film", lambda: _camera(frames))
    with start_runtime(config) as runtime, TemporaryDirectory() as folder:
        session = LiveSession(source, build_find(config, runtime), palette)
        saved = SavedFrames(Path(folder), names)
        with LiveServer(session, saved, names, palette) as server, session:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            seconds = _seconds_per_result(server.server_address[1], setup.pick(3, 1), setup.pick(150, 10))
            server.shutdown()
    limit = Samples((1000 / FASTEST,))
    name = f"live view of a camera of {CAMERA_FPS:g} frames a second of 320x240, against {FASTEST:g} a second"
    row = Row(name, seconds.times(1000), limit, "ms/frame", at_most(1))
    text = (
        f"A drawn face that turns and breathes, float32 deg C, through the network that comes with the repository "
        f"({config.test.mode}, one look a frame at the enlarged face, where the frame before has it), with pictures, "
        f"temperatures and breathing, to a client of the page's server. PyTorch computes with "
        f"{torch.get_num_threads()} threads."
    )
    return Section("Live", [row], [text])


def _camera(frames: list[np.ndarray]) -> Iterator[LiveFrame]:
    """The frames over and over at the rate of a camera, which waits for nobody."""
    start = time.monotonic()
    for index, values in enumerate(cycle(frames)):
        time.sleep(max(0.0, start + index / CAMERA_FPS - time.monotonic()))
        yield LiveFrame(f"frame{index}", index / CAMERA_FPS, ThermalFrame(values, True, ""))


def _seconds_per_result(port: int, repeats: int, results: int) -> Samples:
    """Seconds from one result to the next as a page gets them, of the whole of each repeat; the first ones warm up."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    newest, seconds = 0, []
    for count in (max(1, results // 5), *[results] * repeats):
        start, got = time.perf_counter(), 0
        while got < count:
            connection.request("GET", f"/state?after={newest}")
            result = json.loads(connection.getresponse().read())["result"]
            if result:
                newest, got = result["number"], got + 1
        seconds.append((time.perf_counter() - start) / count)
    connection.close()
    return Samples(tuple(seconds[1:]))
