"""A training step of UNET with RMI, TiAug and SAM-CL, beside the bare network and beside the published recipe."""

from statistics import median

import torch

from lib.datasets.build import build_train_loader
from lib.utils.config import Config
from scripts.benchmarks.measure import Row, Samples, Section, at_least, at_most, number, table
from scripts.benchmarks.published_recipe import PublishedRecipe
from scripts.benchmarks.setup import Setup
from scripts.benchmarks.stepping import PHASES, BareNetwork, run_trainer, stopwatch

CONFIG = "U_GCL_Occ"
OTHERS = ("hrnet_w48", "deeplab_v3:resnet101_dilated8", "hrnet_w48_ocr")
WARMUPS = 1
DTYPES = {"bf16": torch.bfloat16, "fp32": None}


def measure_step(setup: Setup) -> Section:
    """Both precisions; the published recipe beside the bfloat16 steps."""
    batch = setup.pick(8, 2)
    section = Section("Training step")
    section.text.append(
        f"Config {CONFIG} through the real trainer and its loader (channels_last), batches of {batch}; the bare "
        "network (forward, cross-entropy, backward, optimiser step, channels_last, same precision, one batch in "
        "memory) and the published recipe (fp32, NCHW, no workers, published TiAug, RMI and SAM-CL) take turns with "
        "it, step by step."
    )
    for precision, repeats in (("bf16", setup.pick(6, 3)), ("fp32", setup.pick(4, 2))):
        config = setup.config(
            CONFIG, f"step_{precision}", train__batch_size=batch, val__batch_size=batch, solver__precision=precision
        )
        _measure(section, config, precision, repeats)
    for name in OTHERS[: setup.pick(None, 1)]:
        model, _, backbone = name.partition(":")
        config = setup.config(
            *(CONFIG, f"step_{model}"),
            network__model_name=model,
            network__backbone=backbone or "none",
            network__base_channels=setup.pick(64, 8),
            train__batch_size=batch // 2,
            val__batch_size=batch // 2,
            solver__precision="bf16",
        )
        _measure(section, config, "bf16", setup.pick(4, 2), name)
    return section


def _measure(section: Section, config: Config, precision: str, repeats: int, network: str = "UNET 64") -> None:
    """Add the rows and the breakdown of one network and precision; the UNET's has the published recipe beside it."""
    sample = next(iter(build_train_loader(config)))
    sides = {"bare": BareNetwork(config, sample["image"], sample["label"], DTYPES[precision])}
    if precision == "bf16" and network == "UNET 64":
        sides["published"] = PublishedRecipe(config)
    times: dict[str, list[float]] = {name: [] for name in sides}

    def between(done: int) -> None:
        if done <= WARMUPS + repeats - 1:
            for name, side in sides.items():
                with stopwatch(times[name]):
                    side.step()

    batches = run_trainer(config, WARMUPS + repeats, between)
    ours = Samples(tuple(batches.seconds[WARMUPS:]))
    others = {name: Samples(tuple(values[WARMUPS:])) for name, values in times.items()}
    size = config.train.batch_size
    section.rows.append(
        Row(
            f"training step, {network}, RMI + TiAug + SAM-CL, batch {size}, {precision}, against the bare network",
            *(ours, others["bare"], "s", at_most(1.15)),
        )
    )
    if "published" in others:
        section.rows.append(
            Row(
                f"the same, {precision} channels_last, against the published recipe",
                *(ours, others["published"], "s", at_least(3)),
            )
        )
    phases = batches.phases()[WARMUPS:]
    middle = {phase: median(step[phase] for step in phases) for phase in PHASES}
    lines = [
        [phase, number(1000 * seconds), f"{100 * seconds / ours.median:.1f} %"] for phase, seconds in middle.items()
    ]
    section.text.append(table([f"where a {precision} step's time goes, {network}", "ms", "share"], lines))
