"""The whole config: every key that has an effect, typed, with its default (the published one where there is one)."""

from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from lib.utils.config.base import Section, Switch, Text, Whole, Wholes
from lib.utils.config.data_sections import Data, EvaluationSection, Normalize, Test, Train, Transforms
from lib.utils.config.model_sections import Loss, Network, PixelContrast, SamCl, SegFix
from lib.utils.config.read import Dumper
from lib.utils.config.run_sections import Checkpoints, LearningRate, Logging, Optim, Solver
from lib.utils.config.use_sections import Compare, Export, Predict


class Config(Section):
    """A resolved config. Sizes in it are (width, height), temperatures deg C, times steps."""

    dataset: Text = "thermalFaceDB"
    """Name of the data set, for messages and paths."""
    phase: Literal["train", "test", "test_offset", "check", "predict", "export", "compare"] = "train"
    """What to do."""
    seed: Annotated[Whole, Field(ge=0, le=2**31)] = 304
    """Seed of all random streams."""
    gpu: Annotated[Wholes | None, Field(max_length=1024)] = None
    """GPUs to use; null = what there is, [-1] = the CPU."""
    cudnn: Switch = True
    """Let cuDNN look for its fastest kernels."""
    distributed: Switch = False
    """One process per GPU, started by torchrun."""

    data: Data = Data()
    train: Train = Train()
    val: EvaluationSection = EvaluationSection()
    test: Test = Test()
    predict: Predict = Predict()
    export: Export = Export()
    compare: Compare = Compare()
    train_trans: Transforms = Transforms()
    normalize: Normalize = Normalize()
    network: Network = Network()
    loss: Loss = Loss()
    samcl: SamCl | None = None
    pixel_contrast: PixelContrast | None = None
    segfix: SegFix = SegFix()
    lr: LearningRate = LearningRate()
    optim: Optim = Optim()
    solver: Solver = Solver()
    checkpoints: Checkpoints = Checkpoints()
    logging: Logging = Logging()

    @property
    def learns_boundaries(self) -> bool:
        """Whether a training learns boundaries and directions from the labels, as for SegFix, not their classes."""
        return self.phase == "train" and self.loss.loss_type == "segfix_loss"

    @property
    def scored(self) -> Data:
        """Section ``data`` with the classes that predictions have: its own, or interior and boundary."""
        if not self.learns_boundaries:
            return self.data
        classes = {"num_classes": 2, "class_names": ["interior", "boundary"], "palette": None}
        return self.data.model_copy(update=classes)

    def to_yaml(self) -> str:
        """The resolved tree as YAML; loading it gives an equal config."""
        return yaml.dump(_tree(self), Dumper=Dumper, sort_keys=False, width=100)


def _tree(section: Section) -> dict[str, Any]:
    """A section as plain data, without transforms that have no section."""
    return {
        name: _tree(value) if isinstance(value, Section) else value
        for name, value in section
        if not (value is None and isinstance(section, Transforms))
    }
