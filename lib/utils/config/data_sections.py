"""Sections about frames: where they are, how they are batched, transformed and normalised."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from lib.utils.config.base import (
    AboveZero,
    Colour,
    Interval,
    Kelvin,
    LengthOrSize,
    Natural,
    NonNegative,
    Number,
    Path,
    Paths,
    Probability,
    Section,
    Size,
    Switch,
    Text,
    Unit,
    Whole,
    Window,
)


class Data(Section):
    """The data set: folders, classes, loading."""

    data_dir: Paths = []
    """Folders that hold ``{train,val}/{image,label}``; one path or a list."""
    num_classes: Annotated[Whole, Field(ge=2, le=254)] = 6
    """Number of classes C, background included."""
    num_channels: Annotated[Whole, Field(ge=1, le=64)] = 1
    """Channels of a frame; 1 for thermal frames."""
    remap_classes: list[Annotated[Whole, Field(ge=-1, le=253)]] | None = None
    """Class of each value in a label file: index = value, entry = class, -1 = ignored; null = as they are. 255 is
    ignored unless there is an entry for it."""
    class_names: list[Text] | None = None
    """One name per class; null = class numbers."""
    palette: list[Colour] | None = None
    """One [red, green, blue] of 0-255 per class; null = built-in colours."""
    temp_preset: (
        Literal[
            "centikelvin",
            "decikelvin",
            "flir_tlinear_high",
            "flir_tlinear_low",
            "centi_celsius",
            "deci_celsius",
            "milli_celsius",
            "kelvin",
            "fahrenheit",
            "none",
        ]
        | None
    ) = None
    """Unit of the numbers in frames' files; ``none`` = grey levels or raw counts; null = floats and text are deg C, the
    unit of integers is decided from their values."""
    temp_scale: Number | None = None
    """deg C = temp_scale x number + temp_offset; instead of a preset."""
    temp_offset: Number | None = None
    """See ``temp_scale``."""
    raw_size: Size = [640, 512]
    """[width, height] of headerless ``.bin`` frames in pixels, and of frames whose pixels are one axis or line."""
    axes: (
        Literal["HW", "WH", "THW", "TWH", "HWT", "WHT", "HWC", "THWC", "HWTC", "N", "TN", "NT", "HWV", "WHV"] | None
    ) = None
    """What the axes of arrays and tables mean, a letter for each: H rows, W columns, T frames, C equal channels, N all
    pixels of a frame (see ``raw_size``); HWV and WHV are tables of a pixel a line, its row and column, and its value.
    Null = as their shapes tell."""
    grey_range: Window | None = [20.0, 40.0]
    """[low, high] that grey 0 and 255 of pictures of 8 bits stand for in training and validation, so that transforms,
    ``normalize.clip`` and ``normalize.window`` mean the same on them; null, or norm_mode null = grey levels."""
    eval_size: LengthOrSize | None = None
    """What validation and test resize frames to before the network sees them, scores staying those of frames at their
    own size: the length of the shorter side, or [width, height]; null = nothing."""
    workers: Annotated[Whole, Field(ge=0, le=1024)] = 0
    """Processes that load training frames; 0 = the main process does."""
    drop_last: Switch = True
    """Leave out the last, smaller batch of an epoch."""
    include_val: Switch = False
    """Train on the validation frames as well."""
    cache_gb: Annotated[NonNegative, Unit("GB")] = 2.0
    """Memory of each process with its workers, for decoded frames: those to train on first, then those to
    validate on. What doesn't fit is read from disk every time."""
    on_bad_sample: Literal["stop", "skip"] = "stop"
    """What a training frame that can't be read does: end the run, or be replaced by another and counted. A validation
    frame always ends it. With ``skip``, predictions leave out files that can't be read and end with exit status 1."""
    max_bad_samples: Natural = 10
    """With ``skip``: more different bad frames than this end the run."""
    on_leak: Literal["stop", "warn"] = "stop"
    """What subjects that are in both train and val do, unless ``include_val`` means it: end the run or the check with
    an error, or a warning."""

    @property
    def names(self) -> list[str]:
        """One name per class: ``class_names``, or the classes' numbers."""
        return self.class_names or [str(index) for index in range(self.num_classes)]


class DataTransformer(Section):
    """The size at which frames leave the loader."""

    input_size: Size = [320, 256]
    """[width, height] of every frame of a batch; smaller ones are padded, never scaled."""
    pad_mode: Literal["random", "pad_center", "pad_left_up", "pad_right_down"] = "random"
    """Where the frame lies in the padded one."""


class Train(Section):
    """Batches to train on."""

    batch_size: Annotated[Whole, Field(ge=1, le=65536), Unit("frames")] = 16
    """Frames per step, of all processes together."""
    data_transformer: DataTransformer = DataTransformer()


class EvaluationSection(Section):
    """Batches to validate on; scores are always of frames at their own size."""

    batch_size: Annotated[Whole, Field(ge=1, le=65536), Unit("frames")] = 16
    """Frames per step and process."""
    mode: Literal["ss_test", "ms_test", "sscrop_test", "mscrop_test", "zoom_test"] = "ss_test"
    """``ss_test``: each frame once, at its own scale; ``ms_test``: the mean over scales and mirror images;
    ``sscrop_test``: the mean over a sliding window; ``mscrop_test``: ``ms_test``, with that window at scales from 1 on;
    ``zoom_test``: once whole, and once a window about the largest face, enlarged."""
    scale_search: Annotated[list[Annotated[float, Field(ge=0.1, le=8)]], Field(min_length=1, max_length=16)] = [1.0]
    """Scales of ``ms_test`` and ``mscrop_test``; ``zoom_test`` looks at the first one, both times."""
    flip: Switch = True
    """Whether ``ms_test`` and ``mscrop_test`` take mirror images as well, in which the classes of
    ``train_trans.random_hflip.swap_pair`` are swapped."""
    crop_size: Size = [320, 256]
    """[width, height] of the window of ``sscrop_test`` and ``mscrop_test``."""
    crop_stride_ratio: Annotated[float, Field(gt=0, le=1)] = 2 / 3
    """Step of that window, as a share of its size."""
    zoom_margin: Annotated[float, Field(ge=1, le=16)] = 1.8
    """Size of the window of ``zoom_test``, relative to the box about the face that the first look found."""


class Test(EvaluationSection):
    """What ``--phase test`` reads and writes."""

    out_dir: Path | None = None
    """Folder for results; null = ``seg_results/<checkpoint>`` in the current folder."""
    test_dir: Path | None = None
    """A folder of frames, with or without labels; null = ``data_dir``/val."""
    save_vis: Switch = True
    """Write a picture of each frame with its classes in colour, and of a predicted sequence the video of them."""
    save_prob: Switch = False
    """Write the class probabilities of each frame, float32 (H, W, C)."""
    raw_labels: Switch = False
    """Write masks in the values of label files, the first one of each class in ``data.remap_classes``, as benchmarks
    take results, instead of the numbers of classes."""
    amp: Switch = False
    """Evaluate under autocast rather than in float32."""
    val_aug: Literal["none", "tiaug", "occlusion"] = "none"
    """Frames as they are, under TiAug, or with its occluders alone; drawn alike for every checkpoint and seed."""


class RandomFlip(Section):
    """Mirror the frame."""

    ratio: Probability = 0.5
    """Probability of applying it."""


class RandomHFlip(RandomFlip):
    """Mirror left and right."""

    swap_pair: list[Annotated[list[Annotated[Whole, Field(ge=0, le=253)]], Field(min_length=2, max_length=2)]] = []
    """Pairs of classes that the mirror swaps, such as left and right arm."""


class RandomRotate(Section):
    """Rotate about the centre."""

    ratio: Probability = 1.0
    """Probability of applying it."""
    low_limit_angle: Annotated[float, Field(ge=-360, le=360), Unit("degrees")] = 0
    """Smallest angle."""
    high_limit_angle: Annotated[float, Field(ge=-360, le=360), Unit("degrees")] = 360
    """Largest angle."""


class GaussianBlur(Section):
    """Optical blur."""

    ratio: Probability = 0.5
    """Probability of applying it."""
    blur_sigma_min: Annotated[float, Field(gt=0, le=50), Unit("pixels")] = 1.0
    """Smallest standard deviation."""
    blur_sigma_max: Annotated[float, Field(gt=0, le=50), Unit("pixels")] = 1.2
    """Largest standard deviation."""


class ThermalNoise(Section):
    """Sensor noise."""

    ratio: Probability = 0.5
    """Probability of applying it."""
    max_noise_equivalent_differential_temperature: Annotated[float, Field(ge=0, le=100), Unit("K")] = 0.1
    """Largest standard deviation (NETD)."""


class RandomThermalOcclusion(ThermalNoise):
    """Warm or cold occluders of random shape, with sensor noise."""

    label: Literal["keep", "ignore", "background"] = "keep"
    """What the label under an occluder becomes; ``keep`` as published."""


class FixedResize(Section):
    """Scale to one size. One of the two keys says which."""

    ratio: Probability = 1.0
    """Probability of applying it."""
    min_side_length: Annotated[Whole, Field(ge=1, le=16384), Unit("pixels")] | None = None
    """Length that the shorter side gets; the longer one scales with it."""
    target_size: Size | None = None
    """[width, height] that the frame is stretched to."""


class RandomResize(Section):
    """Scale and stretch."""

    ratio: Probability = 1.0
    """Probability of applying it."""
    scale_range: Interval = [0.5, 2.0]
    """[smallest, largest] scale."""
    aspect_range: Interval = [0.9, 1.1]
    """[smallest, largest] stretch of the width against the height."""


class RandomCrop(Section):
    """Cut a part out of the frame."""

    ratio: Probability = 1.0
    """Probability of applying it."""
    crop_size: Size = [320, 256]
    """[width, height], at most the loader's ``input_size``."""
    method: Literal["center", "random"] = "center"
    """Where the part is cut out."""


class RandomBrightness(Section):
    """Add one random value to the frame."""

    ratio: Probability = 1.0
    """Probability of applying it."""
    shift_value: Kelvin = 10
    """Largest shift, either way."""


TransformName = Literal[
    "random_hflip",
    "random_vflip",
    "random_rotate",
    "gaussian_blur",
    "thermal_noise",
    "random_thermal_occlusion",
    "resize",
    "random_resize",
    "random_crop",
    "random_brightness",
]


class Transforms(Section):
    """Random transforms: which, in what order, how. A listed one without a section has its defaults."""

    trans_seq: list[TransformName] = []
    """Names in the order of application."""
    random_hflip: RandomHFlip | None = None
    random_vflip: RandomFlip | None = None
    """Mirrors top and bottom."""
    random_rotate: RandomRotate | None = None
    gaussian_blur: GaussianBlur | None = None
    thermal_noise: ThermalNoise | None = None
    random_thermal_occlusion: RandomThermalOcclusion | None = None
    resize: FixedResize | None = None
    random_resize: RandomResize | None = None
    random_crop: RandomCrop | None = None
    random_brightness: RandomBrightness | None = None

    @model_validator(mode="before")
    @classmethod
    def _sections_of_listed_transforms(cls, tree: Any) -> Any:
        if not isinstance(tree, dict) or not isinstance(tree.get("trans_seq"), list):
            return tree
        listed = [name for name in tree["trans_seq"] if isinstance(name, str) and name in get_args(TransformName)]
        return tree | {name: {} for name in listed if tree.get(name) is None}


class Normalize(Section):
    """How deg C become what the network sees."""

    norm_mode: Literal[1, 2] | None = 2
    """Per-image min-max to [0, 1] (1) or [-1, 1] (2); null = (x / div_value - mean) / std."""
    mean: list[Number] | None = None
    """One per channel, in units of x / div_value; null = 0."""
    std: list[AboveZero] | None = None
    """One per channel; null = 1."""
    div_value: AboveZero = 1.0
    """Divisor of the frame."""
    channel_order: Literal["RGB", "BGR"] = "RGB"
    """Order in which the network gets the channels of colour pictures; mean and std are in this order."""
    window: Window | None = None
    """[low, high] that norm_mode maps instead of the frame's own extremes; what lies outside is clipped."""
    clip: Window | None = None
    """[low, high] that values are clipped to before all else, e.g. [0, 40], so that a hot cup or a cold sky
    doesn't take the contrast from a face."""
