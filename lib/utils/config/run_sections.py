"""Sections about the run: learning rate, optimiser, length, checkpoints, logging."""

from typing import Annotated, Literal

from pydantic import Field

from lib.utils.config.base import (
    AboveZero,
    Betas,
    Natural,
    NonNegative,
    Path,
    Positive,
    Probability,
    Section,
    Steps,
    Switch,
    Text,
    Unit,
)


class Warm(Section):
    """Warm-up of the learning rate."""

    warm_iters: Steps = 1000
    """Steps of warm-up."""
    power: AboveZero = 1.0
    """The rate is base_lr (step / warm_iters) ** power; 1 = linear."""


class Step(Section):
    """Policy ``step``."""

    gamma: AboveZero = 0.5
    """Factor of the rate."""
    step_size: Steps = 100
    """Steps from one reduction to the next."""


class MultiStep(Section):
    """Policy ``multistep``."""

    gamma: AboveZero = 0.1
    """Factor of the rate."""
    stepvalue: Annotated[list[Positive], Unit("steps")] = [20000, 30000]
    """Steps at which the rate falls, rising."""


class LambdaPoly(Section):
    """Policy ``lambda_poly``: base_lr (1 - step / max_iters) ** power."""

    power: AboveZero = 0.9
    """Exponent; 1 = a straight line down to 0."""


class LambdaCosine(Section):
    """Policy ``lambda_cosine``: half a cosine from base_lr down to base_lr x final_ratio."""

    final_ratio: Probability = 0.0
    """Rate at the end, as a share of base_lr."""


class Plateau(Section):
    """Policy ``plateau``: reduce where the validation score stops rising; counted in validations."""

    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor of the rate."""
    patience: Annotated[Natural, Unit("validations")] = 5
    """Validations without a rise before a reduction."""
    threshold: NonNegative = 1e-4
    """A smaller rise doesn't count."""
    cooldown: Annotated[Natural, Unit("validations")] = 0
    """Validations to wait after a reduction."""
    min_lr: NonNegative = 0.0
    """The rate never falls below."""


class LearningRate(Section):
    """The learning rate over the run."""

    base_lr: Annotated[float, Field(gt=0, le=1000)] = 0.01
    """Rate of parameters with factor 1."""
    nbb_mult: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """Factor of all parameters outside the backbone, whose own is 1; auxiliary classifiers included."""
    lr_policy: Literal["lambda_poly", "lambda_cosine", "step", "multistep", "plateau"] = "lambda_poly"
    """How the rate falls."""
    is_warm: Switch = False
    """Begin with a warm-up."""
    warm: Warm = Warm()
    step: Step = Step()
    multistep: MultiStep = MultiStep()
    lambda_poly: LambdaPoly = LambdaPoly()
    lambda_cosine: LambdaCosine = LambdaCosine()
    plateau: Plateau = Plateau()


class Sgd(Section):
    """Stochastic gradient descent."""

    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of the last step's direction that is kept."""
    nesterov: Switch = False
    """Nesterov's momentum; needs a momentum above 0."""
    weight_decay: NonNegative = 5e-4
    """Factor of the weights that is added to their gradient."""


class Adam(Section):
    """Adam and AdamW, each in a section of its own."""

    betas: Betas = [0.9, 0.999]
    """Decay of the running means of gradients and of their squares."""
    eps: AboveZero = 1e-8
    """Added to the denominator."""
    weight_decay: NonNegative = 1e-4
    """Factor of the weights: added to their gradient by Adam, taken off them in each step by AdamW."""


class Optim(Section):
    """The optimiser."""

    optim_method: Literal["sgd", "adam", "adamw"] = "sgd"
    """The optimiser; the sections of the others are kept and unused."""
    sgd: Sgd = Sgd()
    adam: Adam = Adam()
    adamw: Adam = Adam()


class Solver(Section):
    """Length and rhythm of a run, in steps."""

    max_iters: Steps = 40000
    """Steps of the run."""
    display_iter: Steps = 10
    """Steps from one log line to the next."""
    test_interval: Steps = 1000
    """Steps from one validation to the next."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Autocast; ``auto`` = what the hardware is fast at."""
    compile: Switch = False
    """Compile network and losses (torch.compile); where that fails the run goes on without, and says so."""
    on_nonfinite: Literal["stop", "skip"] = "stop"
    """What a loss that isn't finite does; either way its step changes no weight."""
    max_nonfinite: Natural = 10
    """With ``skip``: more such steps end the run."""


class Checkpoints(Section):
    """Where checkpoints go: ROOT/DIR/NAME_{latest,max_performance,min_loss}.pth."""

    checkpoints_root: Path = "."
    """Folder of ``checkpoints_dir``."""
    checkpoints_dir: Path = "./checkpoints/thermalFaceDB"
    """Folder of the checkpoints, below ``checkpoints_root``."""
    checkpoints_name: Text = "model"
    """Name of the run, with which its files begin."""
    save_iters: Steps = 1000
    """Steps from one ``_latest`` to the next."""
    overwrite: Switch = False
    """Train although checkpoints of this name exist."""
    keep: Annotated[Positive, Field(le=100)] = 2
    """Checkpoints to resume from: ``_latest``, and the ones before it as ``_previous``, ``_previous_2``, ..."""


LogLevel = Literal["debug", "info", "warning", "error", "critical"]


class Logging(Section):
    """The log."""

    log_file: Path = "./logs/thermalFaceDB.log"
    """The log file; TensorBoard's stand beside it."""
    log_to_file: Switch = True
    """Write the log file and TensorBoard's."""
    logfile_level: LogLevel = "info"
    """Least level of the lines in the log file."""
    stdout_level: LogLevel = "info"
    """Least level of the lines on the terminal."""
    log_format: Text = "%(asctime)s %(levelname)-7s %(message)s"
    """Form of a line, as of Python's logging."""
    rewrite: Switch = True
    """Begin the file anew rather than go on in it."""
    max_mb: Annotated[Positive, Unit("MB")] = 500
    """Bound on the log file, whose older half goes first, and on TensorBoard's files, which end there."""
