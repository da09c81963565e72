"""The whole config: every published key, typed, with published defaults, and this project's own."""

from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from lib.utils.config.base import NO_EFFECT, Section, Switch, Text, Whole, Wholes
from lib.utils.config.data_sections import Data, Evaluation, Normalize, Test, Train, Transforms
from lib.utils.config.model_sections import Contrast, Critic, Gcl, Loss, Network
from lib.utils.config.read import Dumper
from lib.utils.config.run_sections import Checkpoints, Details, LearningRate, Logging, Optim, Solver
from lib.utils.config.use_sections import Compare, Export, Predict


class Config(Section):
    """A resolved config. Sizes in it are (width, height), temperatures deg C, times steps."""

    dataset: Text = "thermalFaceDB"
    """Name of the data set, for messages and paths."""
    method: Text = "fcn_segmentor"
    """Published name of the way of training; there is one."""
    phase: Literal["train", "test", "check", "predict", "export", "compare"] = "train"
    """What to do."""
    seed: Annotated[Whole, Field(ge=0, le=2**31)] = 304
    """Seed of all random streams."""
    gpu: Annotated[Wholes | None, Field(max_length=1024)] = None
    """GPUs to use; null = what there is, [-1] = the CPU."""
    cudnn: Switch = True
    """Let cuDNN look for its fastest kernels."""
    distributed: Switch = False
    """One process per GPU, started by torchrun."""
    local_rank: Annotated[Whole | None, NO_EFFECT] = None

    data: Data = Data()
    train: Train = Train()
    val: Evaluation = Evaluation()
    test: Test = Test()
    predict: Predict = Predict()
    export: Export = Export()
    compare: Compare = Compare()
    train_trans: Transforms = Transforms()
    val_trans: Annotated[Transforms, NO_EFFECT] = Transforms()
    normalize: Normalize = Normalize()
    network: Network = Network()
    critic: Critic = Critic()
    loss: Loss = Loss()
    gcl: Gcl | None = None
    contrast: Contrast | None = None
    lr: LearningRate = LearningRate()
    optim: Optim = Optim()
    solver: Solver = Solver()
    checkpoints: Checkpoints = Checkpoints()
    logging: Logging = Logging()
    details: Details = Details()

    def to_yaml(self) -> str:
        """The resolved tree as YAML, without unset keys that have no effect; loading it gives an equal config."""
        return yaml.dump(_tree(self), Dumper=Dumper, sort_keys=False, width=100)


def _tree(section: Section) -> dict[str, Any]:
    """A section as plain data, without unset keys that have no effect and transforms that have no section."""
    tree = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        unset = NO_EFFECT in field.metadata and name not in section.model_fields_set
        if unset or (value is None and isinstance(section, Transforms)):
            continue
        tree[name] = _tree(value) if isinstance(value, Section) else value
    return {name: value for name, value in tree.items() if value != {}}
