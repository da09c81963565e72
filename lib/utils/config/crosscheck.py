"""Values that are right each for itself but not together."""

from lib.utils.config.data_sections import Transforms
from lib.utils.config.faults import Fault
from lib.utils.config.schema import Config


def cross_check(config: Config) -> list[Fault]:
    """The faults between values whose types and ranges are right."""
    return [
        *_classes(config),
        # Only training transforms frames, and a network that is used has its input size from its checkpoint.
        *(_transforms(config.train_trans, config.train.data_transformer.input_size) if config.phase == "train" else ()),
        *_swapped_classes(config),
        *_normalisation(config),
        *_confusable(config),
        *_run(config),
    ]


def _classes(config: Config) -> list[Fault]:
    faults = []
    data, count = config.data, config.data.num_classes
    others = ("data.num_classes",)
    wrong = [entry for entry in data.remap_classes or () if entry >= count]
    if wrong:
        expected = f"classes from -1 to {count - 1}, as data.num_classes is {count}"
        faults.append(Fault("data.remap_classes", expected, wrong[0], others=others))
    if data.remap_classes is not None and not any(entry >= 0 for entry in data.remap_classes):
        faults.append(Fault("data.remap_classes", "at least one entry that isn't ignored", data.remap_classes))
    for name in ("class_names", "palette"):
        values = getattr(data, name)
        if values is not None and len(values) != count:
            expected = f"{count} entries, as data.num_classes is {count}"
            faults.append(Fault(f"data.{name}", expected, len(values), f"or set data.{name} to null", others))
    if len(set(data.class_names or ())) < len(data.class_names or ()):
        faults.append(Fault("data.class_names", "different names", data.class_names))
    scaled = [f"data.{name}" for name in ("temp_scale", "temp_offset") if getattr(data, name) is not None]
    if data.temp_preset is not None and scaled:
        expected = "null where temp_scale or temp_offset is given"
        faults.append(Fault("data.temp_preset", expected, data.temp_preset, others=tuple(scaled)))
    named = config.loss.params.num_classes
    if named is not None and named != count:
        hint = "remove it: data.num_classes is enough"
        faults.append(Fault("loss.params.num_classes", f"{count}, which is data.num_classes", named, hint, others))
    return faults


def _swapped_classes(config: Config) -> list[Fault]:
    flip, count = config.train_trans.random_hflip, config.data.num_classes
    wrong = [pair for pair in (flip.swap_pair if flip else ()) if max(pair) >= count]
    expected = f"pairs of classes 0 to {count - 1}"
    key, others = "train_trans.random_hflip.swap_pair", ("data.num_classes",)
    return [Fault(key, expected, pair, others=others) for pair in wrong[:1]]


def _transforms(transforms: Transforms, input_size: list[int]) -> list[Fault]:
    faults = []
    section, size_key = "train_trans", "train.data_transformer.input_size"
    crop = transforms.random_crop
    if (
        crop
        and "random_crop" in transforms.trans_seq
        and any(c > s for c, s in zip(crop.crop_size, input_size, strict=True))
    ):
        expected = f"[width, height] within {size_key} {input_size}"
        faults.append(Fault(f"{section}.random_crop.crop_size", expected, crop.crop_size, others=(size_key,)))
    resize = transforms.resize
    if resize and "resize" in transforms.trans_seq and (resize.min_side_length is None) == (resize.target_size is None):
        given = {"min_side_length": resize.min_side_length, "target_size": resize.target_size}
        faults.append(Fault(f"{section}.resize", "one of min_side_length and target_size", given))
    for transform, low, high in (
        ("random_rotate", "low_limit_angle", "high_limit_angle"),
        ("gaussian_blur", "blur_sigma_min", "blur_sigma_max"),
    ):
        values = getattr(transforms, transform)
        if values and getattr(values, low) > getattr(values, high):
            key = f"{section}.{transform}"
            expected = f"at most {high}, {getattr(values, high):g}"
            faults.append(Fault(f"{key}.{low}", expected, getattr(values, low), others=(f"{key}.{high}",)))
    return faults


def _normalisation(config: Config) -> list[Fault]:
    normalize, channels = config.normalize, config.data.num_channels
    window, faults = normalize.window, []
    ranges = {"normalize.clip": normalize.clip, "normalize.window": window, "data.grey_range": config.data.grey_range}
    for key, ends in ranges.items():
        if ends is not None and ends[0] >= ends[1]:
            faults.append(Fault(key, "[low, high] in deg C with low < high", ends))
    if normalize.channel_order == "BGR" and channels != 3:
        expected = f"RGB, as data.num_channels is {channels}, not 3"
        faults.append(Fault("normalize.channel_order", expected, "BGR", others=("data.num_channels",)))
    if normalize.norm_mode is not None:
        return faults
    if window is not None:
        hint = "mean and std need no window: set one of the two to null"
        faults.append(Fault("normalize.window", "null, as norm_mode is null", window, hint, ("normalize.norm_mode",)))
    for name in ("mean", "std"):
        values = getattr(normalize, name)
        if values is not None and len(values) != channels:
            expected = f"{channels} entries, as data.num_channels is {channels}"
            faults.append(Fault(f"normalize.{name}", expected, len(values), others=("data.num_channels",)))
    return faults


def _confusable(config: Config) -> list[Fault]:
    if config.samcl is None:
        return []
    rows, count = config.samcl.confusable, config.data.num_classes
    key, others = "samcl.confusable", ("data.num_classes", "samcl.negative")
    if rows is None:
        needed = config.samcl.negative == "confusable" and count != 6
        expected = f"a list per class of the classes it is mistaken for, as data.num_classes is {count}, not 6"
        return [Fault(key, expected, None, others=others)] if needed else []
    if len(rows) != count:
        return [Fault(key, f"{count} lists, as data.num_classes is {count}", len(rows), others=others)]
    for index, row in enumerate(rows):
        if not row or index in row or max(row) >= count:
            expected = f"one or more other classes from 0 to {count - 1}"
            return [Fault(f"{key}[{index}]", expected, row, others=others)]
    return []


def _run(config: Config) -> list[Fault]:
    faults = []
    steps = config.lr.multistep.stepvalue
    if steps != sorted(set(steps)):
        faults.append(Fault("lr.multistep.stepvalue", "rising steps", steps))
    sgd = config.optim.sgd
    if sgd.nesterov and sgd.momentum == 0:
        faults.append(
            Fault("optim.sgd.momentum", "a number above 0, as nesterov is on", 0, others=("optim.sgd.nesterov",))
        )
    if config.gpu is not None and (
        len(set(config.gpu)) < len(config.gpu) or (min(config.gpu, default=0) < 0 and config.gpu != [-1])
    ):
        faults.append(Fault("gpu", "different GPU numbers, or -1 alone for the CPU", config.gpu))
    processes, batch = len(config.gpu or [0]), config.train.batch_size
    if config.phase == "train" and batch % processes:
        expected = f"a multiple of the {processes} devices in gpu, as it counts the frames of all"
        faults.append(Fault("train.batch_size", expected, batch, others=("gpu",)))
    name = config.checkpoints.checkpoints_name
    if not name or "/" in name or name in (".", ".."):
        faults.append(Fault("checkpoints.checkpoints_name", "a name without /", name))
    return faults
