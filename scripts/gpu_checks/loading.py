"""Whether data come fast enough: the loader alone, and how long a training waits for it."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from lib.datasets.build import build_train_loader
from lib.datasets.loading.loader import BatchLoader
from lib.models.build import build_network
from lib.utils.config import Config, load_config
from lib.utils.device import choose_autocast, pin_memory
from lib.utils.machine import available_cores
from scripts.gpu_checks.findings import Finding
from scripts.gpu_checks.subject import CLASSES, Subject, batch_of
from segmentor.objectives import build_objective
from segmentor.training.step import TrainingModel, TrainingStep

REPO = Path(__file__).resolve().parents[2]
CONFIG = REPO / "configs/thermalFaceDB/U_GCL_Occ.json"
WAITING = 0.03
"""Goal: the share of a training's time in which the GPU waits for data, with eight workers."""


def loader(subject: Subject) -> Iterator[Finding]:
    """Images a second of the loader with TiAug, and what a UNET's training waits for."""
    shape = subject.pick((16, 256, 320), (2, 32, 40))
    counts = [count for count in subject.pick((2, 4, 8), (1,)) if count <= max(2, available_cores())]
    with TemporaryDirectory() as folder:
        _write_frames(Path(folder), shape)
        for workers in counts:
            batches = _loader(_config(Path(folder), shape, workers), subject)
            rate = _images_a_second(batches, shape[0], subject.pick(4.0, 0.2))
            yield Finding(f"the loader alone, {workers} workers, TiAug, {shape[2]}x{shape[1]}", rate, unit="images/s")
        config = _config(Path(folder), shape, counts[-1])
        waited, fixed = _waiting(subject, config, shape)
        remark = f"{1000 * waited:.1f} ms a step, from memory {1000 * fixed:.1f} ms"
        goal = WAITING if subject.is_gpu and counts[-1] == 8 else None
        name = f"UNET, bf16, {counts[-1]} workers: share of the time that training waits for data"
        yield Finding(name, max(0.0, 1 - fixed / waited), goal, remark=remark)


def _write_frames(folder: Path, shape: tuple[int, int, int]) -> None:
    """Prepared frames of four batches to train on: noise on regions."""
    for split, batches in (("train", 4), ("val", 1)):
        for part in ("image", "label"):
            (folder / split / part).mkdir(parents=True)
        for index in range(batches):
            images, labels = batch_of(shape, index)
            for number, (image, label) in enumerate(zip(images, labels, strict=True)):
                name = f"{index}_{number}"
                np.save(folder / split / "image" / f"{name}.npy", (25 + 10 * image[0]).numpy())
                Image.fromarray(label.clamp(min=0).numpy().astype(np.uint8)).save(
                    folder / split / "label" / f"{name}.png"
                )


def _config(folder: Path, shape: tuple[int, int, int], workers: int) -> Config:
    size = [shape[2], shape[1]]
    pairs = {
        **{"data.data_dir": str(folder), "data.workers": workers, "train.batch_size": shape[0]},
        **{"train.data_transformer.input_size": size, "train_trans.random_crop.crop_size": size},
    }
    return load_config(CONFIG, {}, [f"{key}={value}" for key, value in pairs.items()])[0]


def _loader(config: Config, subject: Subject) -> BatchLoader:
    return build_train_loader(config, pin_memory=pin_memory(subject.device))


def _images_a_second(batches: BatchLoader, size: int, seconds: float) -> float:
    """After two batches, which start the workers."""
    iterator = iter(batches)
    for _ in range(2):
        next(iterator)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or not count:
        next(iterator)
        count += size
    return count / (time.perf_counter() - start)


def _waiting(subject: Subject, config: Config, shape: tuple[int, int, int]) -> tuple[float, float]:
    """Seconds of a step with batches from the loader, and with one that is there already."""
    sections = config.model_dump(include={"loss", "samcl"})
    small = subject.config("unet", data={"num_classes": CLASSES}, **sections)
    model = TrainingModel(build_network(small), build_objective(small)).to(subject.device).train()
    step = TrainingStep(model, small, subject.runtime(choose_autocast(subject.device, "bf16")))
    iterator = iter(_loader(config, subject))
    steps = subject.pick(20, 1)
    for index in range(3):
        batch = next(iterator)
        step(batch, index)
    there = {"image": batch["image"].to(subject.device), "label": batch["label"].to(subject.device)}
    found = []
    for batches in (iterator, iter([there] * steps)):
        subject.synchronise()
        start = time.perf_counter()
        for index in range(steps):
            step(next(batches), index)
        subject.synchronise()
        found.append((time.perf_counter() - start) / steps)
    return found[0], found[1]
