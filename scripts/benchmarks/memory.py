"""Peak memory of a training step with SAM-CL beside one without, and over 200 steps."""

from typing import Any

from scripts.benchmarks.children import run_child
from scripts.benchmarks.measure import Row, Samples, Section, at_most
from scripts.benchmarks.setup import Setup

WITH, WITHOUT = "U_GCL_Occ", "U_Occ"
STEPS, SETTLED = 200, 20
SMALL = [160, 128]  # width, height


def measure_memory(setup: Setup) -> Section:
    """In processes of their own; the main process alone counts, without its workers."""
    batch = setup.pick(8, 2)
    found: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    for _ in range(setup.pick(3, 1)):
        for config, values in found.items():
            values.append(peaks(setup, config, 2, train__batch_size=batch)[-1])
    course = peaks(
        *(setup, WITH, STEPS),
        train__batch_size=4,
        network__base_channels=8,
        train__data_transformer={"input_size": SMALL},
        train_trans__random_crop__crop_size=SMALL,
    )
    rows = [
        Row(
            f"peak memory of a step with SAM-CL, UNET 64, batch {batch}, against without",
            *(Samples(tuple(found[WITH])), Samples(tuple(found[WITHOUT])), "MB", at_most(1.15)),
        ),
        Row(
            f"peak memory after {STEPS} steps with SAM-CL, against after {SETTLED}",
            *(Samples((course[-1],)), Samples((course[SETTLED - 1],)), "MB", at_most(1.02)),
        ),
    ]
    text = (
        f"Greatest resident size of a process that trains, after two steps of {WITH} and of {WITHOUT}. The {STEPS} "
        "steps are those of a UNET of 8 base channels on batches of 4 frames of 128x160."
    )
    return Section("Memory", rows, [text])


def peaks(setup: Setup, config: str, steps: int, **values: Any) -> list[float]:
    """MB after each step of a run."""
    pairs = setup.pairs("memory", **values)
    return run_child("-m", "scripts.benchmarks.step_memory", str(steps), str(setup.threads), config, *pairs)
