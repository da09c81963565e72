"""Exports a trained network to one file that runs without this project, from deg C to class probabilities."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim, ExportedProgram

from lib.datasets.build import normalization
from lib.models.build import build_network_with_weights
from lib.utils.config import Config
from lib.utils.errors import CheckpointError, ConfigError
from lib.utils.files import atomic_write
from lib.utils.manifest import REMEDY, Manifest, refuse_sources
from lib.utils.runtime import Runtime
from lib.vis import palette_of
from segmentor.export.exportable import ExportableModel
from segmentor.export.sample_inputs import frame_folders, sample_batches

logger = logging.getLogger("samcl")

SIZE_MULTIPLE = 32
"""Height and width that an exported network reads are multiples of this, the deepest reduction of any network here."""
TOLERANCE = 1e-4
"""Largest difference in a probability between the network and its export."""
OPSET = 18
PACKAGES = ("onnx", "onnxscript", "onnxruntime")

Run = Callable[[np.ndarray], np.ndarray]


class Exporter:
    """Writes ``network.resume`` as ONNX or as a program of torch.export, and compares the file with the network.

    Args:
        config: of the run.
        runtime: unused; every phase gets it. Exports are made and compared on the CPU, in float32.

    Raises:
        CheckpointError: no checkpoint is named, or it doesn't fit the network.
        ConfigError: a package is missing, or the file would go into a folder that sample frames are read from.
        OutputError: there is a file of its name that no export wrote.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.network.resume:
            raise CheckpointError("--phase export needs a checkpoint: name it with --resume FILE.pth")
        missing = [name for name in PACKAGES if find_spec(name) is None] if config.export.format == "onnx" else []
        if missing:
            raise ConfigError(
                f"export.format: onnx needs packages that aren't installed: pip install {' '.join(missing)}; or write "
                "--format torch_export, which needs none"
            )
        stem = Path(config.network.resume).stem
        suffix = ".onnx" if config.export.format == "onnx" else ".pt2"
        self.path = Path(config.test.out_dir or f"seg_results/{stem}_export") / f"{stem}{suffix}"
        refuse_sources(self.path.parent, (), frame_folders(config), REMEDY)
        self._manifest = Manifest(self.path.parent, "export")
        self._manifest.refuse_others([self.path], REMEDY)
        self.config = config
        self.network = build_network_with_weights(config).eval()
        self.model = ExportableModel(self.network, **normalization(config.normalize)).eval()
        width, height = config.train.data_transformer.input_size
        self.size = (_next_multiple(height), _next_multiple(width))

    def run(self) -> float:
        """Write the file if it computes the network's probabilities; returns the largest difference in one.

        Raises:
            ConfigError: the network can't be exported.
            DataError: the sample frames can't be read.
            FloatingPointError: the difference isn't below :data:`TOLERANCE`; nothing is written.
        """
        logger.info("exporting %s to %s; large networks take minutes", self.config.network.resume, self.path)
        batches = sample_batches(self.config, self.size)
        program, any_size = self._trace()
        if not any_size:
            logger.warning(
                "this network can't be exported for any size: frames must be %d x %d (height x width)", *self.size
            )
            batches = [batch for batch in batches if batch.shape[2:] == self.size]
        metadata = self._metadata(any_size)
        onnx = self.config.export.format == "onnx"
        content = _as_onnx(program, metadata, any_size) if onnx else _as_torch_export(program, metadata)
        with atomic_write(self.path) as file:
            file.write(content)
            file.flush()
            written = Path(file.name).read_bytes()
            difference = self._largest_difference(_run_onnx(written) if onnx else _run_torch_export(written), batches)
            if not difference < TOLERANCE:  # a NaN isn't below either
                raise FloatingPointError(
                    f"{self.path}: not written, as the export's probabilities differ from the network's by up to "
                    f"{difference:.1e}; expected less than {TOLERANCE:.0e}"
                )
        self._manifest.add(self.path)
        logger.info(
            "largest difference of a probability, network to export, on %d batches of %s frames: %.1e",
            *(len(batches), "real" if self.config.test.test_dir or self.config.data.data_dir else "generated"),
            difference,
        )
        logger.info("written: %s (%.1f MB)", self.path, len(content) / 1e6)
        return difference

    def _trace(self) -> tuple[ExportedProgram, bool]:
        """The program, of any batch size, and whether it takes frames of any size, as most networks allow."""
        example = torch.rand(2, self.config.data.num_channels, *self.size) * 10 + 25
        batch = Dim("batch", min=1, max=65536)
        # Twice a symbol's multiple at least, as torch.export takes 1 for a constant.
        height, width = (SIZE_MULTIPLE * Dim(name, min=2, max=1024) for name in ("height", "width"))
        try:
            with _quiet():
                return torch.export.export(
                    self.model, (example,), dynamic_shapes=({0: batch, 2: height, 3: width},), strict=False
                ), True
        except Exception as error:  # torch.export names no common class of what may go wrong
            logger.debug("no export for any size: %s", error)
        try:
            with _quiet():
                return torch.export.export(self.model, (example,), dynamic_shapes=({0: batch},), strict=False), False
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"network.model_name: {self.config.network.model_name} can't be exported ({type(error).__name__}: "
                f"{first}); torch.export's documentation says what a network may do"
            ) from error

    def _metadata(self, any_size: bool) -> dict[str, str]:
        """What users of the file need to know; lists and sections as JSON, sizes as [width, height] in pixels.

        To look as in training, frames must be scaled to ``train_size`` and padded to ``size``.
        """
        data, (height, width) = self.config.data, self.size
        sizes = f"H and W multiples of {SIZE_MULTIPLE}" if any_size else f"H {height}, W {width}"
        return {
            "model_name": self.config.network.model_name,
            "backbone": self.config.network.backbone,
            "input": f"frames: float32 (N, {data.num_channels}, H, W), deg C as measured; {sizes}",
            "output": f"probabilities: float32 (N, {data.num_classes}, H, W)",
            "train_size": json.dumps(self.config.train.data_transformer.input_size),
            "size": json.dumps([width, height]),
            "size_multiple": str(SIZE_MULTIPLE if any_size else 0),
            "class_names": json.dumps(data.names),
            "palette": json.dumps(palette_of(data.num_classes, data.palette).tolist()),
            "normalize": json.dumps(self.config.normalize.model_dump()),
        }

    @torch.inference_mode()
    def _largest_difference(self, run: Run, batches: list[np.ndarray]) -> float:
        differences = []
        for frames in batches:
            expected = self.network(torch.from_numpy(self.model.normalized(frames))).logits.softmax(1).numpy()
            got = run(frames)
            if got.shape != expected.shape:
                raise FloatingPointError(f"{self.path}: expected probabilities {expected.shape}, got {got.shape}")
            differences.append(float(np.abs(got - expected).max()))
        return float(np.max(differences))


def _next_multiple(length: int) -> int:
    return max(2 * SIZE_MULTIPLE, -(-length // SIZE_MULTIPLE) * SIZE_MULTIPLE)


def _as_onnx(program: ExportedProgram, metadata: dict[str, str], any_size: bool) -> bytes:
    import onnx

    with _quiet():
        exported = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["frames"],
            output_names=["probabilities"],
        )
    assert exported is not None  # as with dynamo
    model = exported.model_proto
    onnx.helper.set_model_props(model, metadata)
    del model.graph.value_info[:]  # sizes between the nodes, in terms of symbols that mean nothing to a user
    for value in (model.graph.input[0], model.graph.output[0]):
        for index, name in {0: "batch", **({2: "height", 3: "width"} if any_size else {})}.items():
            value.type.tensor_type.shape.dim[index].dim_param = name
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _run_onnx(content: bytes) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda frames: session.run(["probabilities"], {"frames": frames})[0]


def _as_torch_export(program: ExportedProgram, metadata: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with _quiet():
        torch.export.save(program, file, extra_files={"metadata.json": json.dumps(metadata, indent=2)})
    return file.getvalue()


def _run_torch_export(content: bytes) -> Run:
    with _quiet():
        module = torch.export.load(io.BytesIO(content)).module()
    return lambda frames: module(torch.from_numpy(frames)).numpy()


@contextmanager
def _quiet() -> Iterator[None]:
    """A context without warnings and logs of PyTorch's exporters: the file they make is compared afterwards."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for each in loggers:
            each.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
