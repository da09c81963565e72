"""Frames and labels to train on, ``{train,val}/{image,label}``, and the config that trains on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import yaml

from lib.datasets.check.subjects import subjects_of
from lib.datasets.preparation import REMEDY, claim_folder
from lib.thermal import Letterbox, ThermalFrame
from lib.thermal.resize import resize_image, resize_label
from lib.utils.config import load_config
from lib.utils.config.read import Dumper
from lib.utils.files import atomic_write
from lib.vis.palette import palette_of, save_label

CONFIG = "config.yaml"
SPLITS = ("train", "val")
REPO = Path(__file__).resolve().parents[2]
BASE = REPO / "configs/drivers/finetune.yaml"
"""Trains the shipped network, of :data:`WEIGHTS`."""
WEIGHTS = REPO / "lib/models/pretrained/face.pth"


class TrainingFolder:
    """Writes frames in deg C (or grey levels), labels and a config.

    Args:
        folder: gets them.
        split: ``train`` or ``val`` by name of the frame.
        names: of the classes, the background first.
        palette: [r, g, b] of the classes; None = those of the shipped network if these are its classes, else built-in
            ones.
        size: (width, height) that frames are scaled to fit; None = as they are.
        read: files and folders that the conversion reads.
        made_of: what decides the content, for a later run into the same folder; JSON values.
        overwrite: remove what was prepared into the folder before.

    Raises:
        ConfigError: ``folder`` is one that is read.
        DataError: it was prepared of other frames, or in another way.
        OutputError: files would be replaced or removed that no preparation wrote.
    """

    def __init__(
        self,
        folder: Path,
        split: Mapping[str, str],
        names: Sequence[str],
        palette: Sequence[Sequence[int]] | None,
        size: Sequence[int] | None,
        read: Sequence[Path],
        made_of: Mapping[str, object],
        overwrite: bool = False,
    ) -> None:
        self.folder, self.split, self._names = folder, dict(split), list(names)
        shipped = load_config(BASE)[0].data
        self._is_shipped = self._names == shipped.class_names
        self._palette = palette_of(len(names), shipped.palette if self._is_shipped and palette is None else palette)
        self._size = (size[1], size[0]) if size else None
        self._deep = False
        options = {**made_of, "class_names": self._names, "size": list(size) if size else None}
        expected = [path for name in split for path in (*self._images(name), self._label(name))]
        outputs = [
            path for part in SPLITS for kind in ("image", "label") for path in (folder / part / kind).glob("[!.]*")
        ]
        folders = [place if place.is_dir() else place.parent for place in read]
        self._manifest = claim_folder(folder, options, outputs, expected, overwrite, folders, [CONFIG])
        self._manifest.refuse_others([*expected, folder / CONFIG], REMEDY)
        # A frame may have been written with the other ending.
        own = set(self._manifest.own_files())
        for path in expected:
            if path in own:
                path.unlink(missing_ok=True)

    def _images(self, name: str) -> tuple[Path, Path]:
        folder = self.folder / self.split[name] / "image"
        return folder / f"{name}.npy", folder / f"{name}.png"

    def _label(self, name: str) -> Path:
        return self.folder / self.split[name] / "label" / f"{name}.png"

    def add(self, name: str, frame: ThermalFrame, label: np.ndarray) -> None:
        """Write a frame: temperatures as float32 deg C, grey levels as 8 bits.

        Args:
            name: in the split.
            frame: the frame.
            label: (H, W) uint8 classes, 255 ignored.
        """
        values = frame.values
        if self._size:
            inner = Letterbox((label.shape[0], label.shape[1]), self._size).inner
            if inner != label.shape:
                values, label = resize_image(values, inner), resize_label(label, inner, "majority")
        array_path, picture_path = self._images(name)
        deep = not frame.radiometric and frame.values.max() > 255
        self._deep |= deep
        image_path = array_path if frame.radiometric or deep else picture_path
        with self._manifest.writing(self._label(name), image_path):
            save_label(self._label(name), label, self._palette)
            with atomic_write(image_path, durable=False) as file:
                if image_path is array_path:
                    np.save(file, np.ascontiguousarray(values, np.float32))
                else:
                    file.write(cv2.imencode(".png", np.rint(values).clip(0, 255).astype(np.uint8))[1])

    def write_config(self) -> Path:
        """Write ``config.yaml``, which trains the shipped network on the frames; returns its path."""
        data: dict = {
            "data_dir": str(self.folder.resolve()),
            "num_classes": len(self._names),
            "class_names": self._names,
            "remap_classes": None,
        }
        if self._deep:
            data["temp_preset"] = "none"
        parts = [{name for name in self.split if self.split[name] == part} for part in SPLITS]
        subjects = [set(subjects_of(part).of.values()) for part in parts]
        if subjects[0] & subjects[1]:
            data["on_leak"] = "warn"
        tree: dict = {"_base_": str(BASE), "data": data, "network": {"pretrained": str(WEIGHTS)}}
        if not self._is_shipped:
            tree["network"]["resume_strict"] = False
            tree["loss"] = {"params": {"ce_weight": None}}
        palette = ", ".join(str(colour) for colour in self._palette.tolist())
        text = yaml.dump(tree, Dumper=Dumper, sort_keys=False, width=10**6, allow_unicode=True)
        text = text.replace("  remap_classes:", f"  palette: [{palette}]\n  remap_classes:", 1)
        path = self.folder / CONFIG
        with self._manifest.writing(path), atomic_write(path, "w", encoding="utf-8") as file:
            file.write("# Written by scripts/convert.sh; change what you like in a copy.\n" + text)
        return path
