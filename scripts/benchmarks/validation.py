"""``val`` with pictures and metrics, beside the forward passes alone."""

import torch

from lib.models.build import build_network
from lib.utils.checkpoint import checkpoint_path, save_checkpoint
from lib.utils.config import Config
from scripts.benchmarks.children import run_child
from scripts.benchmarks.measure import Row, Samples, Section, at_most, number
from scripts.benchmarks.setup import VAL_FRAMES, Setup

CONFIG = "U_GCL_Occ"


def measure_val(setup: Setup) -> Section:
    """UNET 64 in the autocast of the machine; all frames once each way, in parts of a process each."""
    frames, batch = setup.pick(VAL_FRAMES, 48), 16
    folders = setup.segments(setup.pick(5, 1), frames)
    checkpoint = _checkpoint(setup)
    ours, bare = [], []
    for index, folder in enumerate(folders):
        pairs = setup.pairs(
            "val",
            phase="test",
            network__resume=checkpoint,
            test__test_dir=folder,
            test__out_dir=setup.folder / "runs/val",
            test__batch_size=batch,
            test__amp="y",
        )
        found = run_child("-m", "scripts.benchmarks.val_part", str(setup.threads), CONFIG, *pairs)
        ours.append(found["ours"] / found["frames"])
        bare.append(found["bare"] / found["frames"])
        print(f"   part {index + 1} of {len(folders)}", flush=True)
    row = Row(
        f"val on {frames} frames with pictures and metrics, UNET 64, against the bare forward passes",
        *(Samples(tuple(ours)).times(1000), Samples(tuple(bare)).times(1000), "ms/frame", at_most(1.1)),
    )
    return Section("Validation", [row], [_text(frames, batch, len(folders), ours, bare)])


def _text(frames: int, batch: int, parts: int, ours: list[float], bare: list[float]) -> str:
    total = [number(sum(times) / len(times) * frames) for times in (ours, bare)]
    return (
        f"`--phase test --amp y` on {frames} labelled frames of 256x320 in batches of {batch}, in {parts} parts. Each "
        "is a process of its own, which starts cold and then passes the same images in memory through the network: "
        f"about {total[0]} s and {total[1]} s in all. A part begins by starting its loader and ends when the last file "
        "is written."
    )


def _checkpoint(setup: Setup) -> str:
    """A checkpoint of the network with random weights."""
    config: Config = setup.config(CONFIG, "val")
    torch.manual_seed(config.seed)
    path = checkpoint_path(setup.folder / "runs", "val", "random", "latest")
    content = {"config_dict": config.model_dump(mode="json"), "state_dict": build_network(config).state_dict()}
    save_checkpoint(path, content, config.to_yaml())
    return str(path)
