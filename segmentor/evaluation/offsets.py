"""``--phase test_offset``: SegFix's offsets of every frame, with which ``scripts/segfix.py`` mends masks."""

import logging
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lib.datasets.build import build_eval_loader
from lib.datasets.segfix import offsets_of, write_offset
from lib.models.blocks import resize
from lib.models.build import build_network_with_weights
from lib.models.output import SegOutput
from lib.models.segfix import SegFix
from lib.utils.config import Config
from lib.utils.device import pin_memory
from lib.utils.distributed import join_over_processes
from lib.utils.errors import CheckpointError, ConfigError
from lib.utils.manifest import REMEDY, Manifest, refuse_sources
from lib.utils.runtime import Runtime
from segmentor.evaluation.inference import build_inference

logger = logging.getLogger("samcl")


class OffsetMaps(nn.Module):
    """SegFix with outputs that may be averaged over windows.

    Of the boundary these are probabilities, taken before they are brought to the image's size, and of the directions
    logits, as in the published code.

    Args:
        network: of boundaries and directions.
    """

    def __init__(self, network: SegFix) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> SegOutput:
        """(N, K, H, W) to (N, 1 + 8, H, W) in ``logits``: the probability of a boundary, and the directions."""
        boundary, directions = self.network.coarse(image)
        maps = torch.cat([boundary.float().softmax(1)[:, 1:], directions.float()], 1)
        return SegOutput(resize(maps, image.shape[-2:]))


class OffsetTester:
    """Predicts the offsets of ``data_dir``/val, or of the frames of ``test.test_dir``, with ``network.resume``.

    Args:
        config: of the run; ``test.mode`` is ``ss_test`` or ``sscrop_test``.
        runtime: device and processes.

    Raises:
        CheckpointError: no checkpoint is named, or it doesn't fit the network.
        ConfigError: the network has no directions, other modes, or the folder of the results is read from.
        DataError: there are no frames, or they can't be read.
        OutputError: the folder holds other files than offsets of an earlier run.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.network.resume:
            raise CheckpointError("--phase test_offset needs a checkpoint: name it with --resume FILE.pth")
        if config.test.mode not in ("ss_test", "sscrop_test"):
            raise ConfigError(
                f"test.mode: expected ss_test or sscrop_test with --phase test_offset, got {config.test.mode}: "
                "directions can't be averaged over mirror images"
            )
        self.config, self.runtime, world = config, runtime, runtime.world
        self.out_dir = Path(config.test.out_dir or f"seg_results/{Path(config.network.resume).stem}_offset")
        self.manifest = Manifest(self.out_dir, "offsets", world.rank)
        roots = [Path(root, split) for root in config.data.data_dir for split in ("", "train", "val")]
        sources = roots + ([Path(config.test.test_dir)] if config.test.test_dir else [])
        refuse_sources(self.out_dir, [], [*sources, *(source / "image" for source in sources)], REMEDY)
        self.manifest.refuse_others(self.out_dir.glob("*.mat"), REMEDY)
        network = build_network_with_weights(config)
        assert isinstance(network, SegFix), "names are checked before a run: the network has directions"
        maps = OffsetMaps(network).to(runtime.device).to(memory_format=torch.channels_last).eval()
        self._inference = build_inference(config, config.test, maps, runtime, config.test.amp)
        self.batches = build_eval_loader(
            *(config, world.rank, world.size, config.test.test_dir), pin_memory(runtime.device), unique_names=True
        )

    @torch.inference_mode()
    def run(self) -> int:
        """Write ``<name>.mat`` for every frame, see :func:`lib.datasets.segfix.write_offset`; returns their number."""
        world = self.runtime.world
        logger.info("offsets of %s, writing to %s", self.config.network.resume, self.out_dir)
        if world.is_main:
            self.manifest.clear()
        join_over_processes([])  # nobody writes before that is done
        paths = [path for batch in self._shown(world.is_main) for path in self._write(batch["name"], batch["image"])]
        count = len(join_over_processes(paths))
        logger.info("offsets of %d frames: %s", count, self.out_dir)
        return count

    def _shown(self, is_main: bool) -> Iterator[dict]:
        yield from tqdm(self.batches, unit="batch", dynamic_ncols=True, disable=None if is_main else True)

    def _write(self, names: list[str], images: Tensor) -> list[str]:
        threshold = self.config.segfix.threshold
        for name, maps in zip(names, self._inference(images).cpu().numpy(), strict=True):
            path = self.out_dir / f"{name}.mat"
            with self.manifest.writing(path):
                write_offset(path, offsets_of(maps[0], maps[1:], threshold))
        return names
