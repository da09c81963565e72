"""A report and a comparison as real tests leave them, and a browser to look at them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib.models import build_network
from lib.utils.config import load_config
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.evaluation.comparison import Comparer
from segmentor.tester import Tester
from tests.browser.chromium import open_browser, what_is_missing
from tests.conftest import draw_frame

EVIL = "<script>window.hacked=1<_script>&\"'#?% "
UNKNOWN = "zz_unknown"
"""A frame whose label is ignored everywhere, so that it has no scores."""


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with open_browser() as driver:
        yield driver


def write_frames(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for part in ("image", "label"):
        (folder / part).mkdir(parents=True)
    for name in [*(f"frame{index}" for index in range(1, 22)), EVIL, UNKNOWN]:
        frame, label = draw_frame(rng)
        if name == UNKNOWN:
            label[:] = 255
        np.save(folder / "image" / f"{name}.npy", frame)
        Image.fromarray(label).save(folder / "label" / f"{name}.png")


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """``first/`` and ``second/``, results of tests, and ``cmp/``, their comparison."""
    root = tmp_path_factory.mktemp("reports")
    write_frames(root / "frames")
    (root / "config.yaml").write_text(
        f"""
        phase: test
        data: {{num_classes: 3, class_names: [room, disc & "<b>", square], data_dir: {root}}}
        network: {{model_name: unet, base_channels: 4, resume: {root}/net_latest.pth}}
        test: {{test_dir: {root}/frames, batch_size: 8}}
        solver: {{precision: fp32}}
        gpu: [-1]
        """
    )

    def config_of(name, *pairs):
        return load_config(root / "config.yaml", pairs=[f"test.out_dir={root / name}", *pairs], checks=[check_names])[0]

    torch.manual_seed(0)
    network = build_network(config_of("first"))
    head = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        head.bias.zero_()
        head.weight -= head.weight.mean(1, keepdim=True)
    torch.save({"state_dict": network.state_dict()}, root / "net_latest.pth")
    rows = [f"{step},loss,{name},{value / step}" for step in range(10, 500, 10) for name, value in (("a", 9), ("b", 4))]
    rows += [f"{step},validation,miou,{step / 1000}" for step in (100, 200, 300)]
    (root / "net_history.csv").write_text("\n".join(["iteration,kind,name,value", *rows, ""]))
    for name, *pairs in (("first",), ("second", "test.mode=ms_test", "test.scale_search=[0.5]")):
        config = config_of(name, *pairs)
        with start_runtime(config) as runtime:
            Tester(config, runtime).run()
    runs = f'compare.runs=["{root}/second", "{root}/first"]'
    Comparer(config_of("cmp", "phase=compare", runs), None).run()
    return root
