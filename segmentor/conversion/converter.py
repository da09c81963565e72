"""Labels of annotation tools to labels to train on, and labels to those of tools."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lib.datasets.annotations.classes import ClassTable, Labels, classes_of, parse_renames
from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.shapes import Codes, draw
from lib.datasets.build import reading_of
from lib.datasets.preparation import REMEDY, SKIPPED_FILE, write_skipped
from lib.datasets.split import split_by_frame, split_by_subject, split_by_time, subjects_by_name, subjects_in_table
from lib.thermal import ThermalFrame, open_sequence
from lib.utils.config.data_sections import Data
from lib.utils.errors import DataError
from lib.utils.manifest import Manifest, refuse_sources
from lib.utils.text import first_few
from lib.vis.palette import palette_of
from segmentor.conversion.tool_folder import ToolFolder
from segmentor.conversion.training_folder import TrainingFolder

logger = logging.getLogger("samcl")

TRAINING = "training"
ASK_FOR_SHAPES = "nobody has labelled it; over a frame without a face draw one shape called background"


@dataclass(frozen=True)
class Options:
    """What to convert, and into what.

    Attributes:
        labels: file or folder of the labels.
        frames: folder of the thermal frames, or a file that holds them; frames and labels have the same names.
        out_dir: gets what is written.
        source: format of the labels, one of :data:`~lib.datasets.annotations.formats.FORMATS`.
        target: ``training``, or a format that is written.
        rename: ``OLD=NEW`` for labels that are to be read as others, or as ``ignore`` or ``background``.
        shapes: kind of the shapes that are written for tools, ``polygons`` or ``masks``.
        tolerance: pixels that simplified outlines may lie off the exact ones, less where a class would lose over 2 %;
            None = a 320th of the frame's longer side.
        size: (width, height) in pixels that frames to train on are scaled to fit; None = as they are.
        split: how frames are divided to train and to validate on: by ``subject``, ``time`` (the last fifth) or
            ``frame`` (every fifth).
        subject_pattern: regular expression whose group is the subject in a frame's name; None = as names tell.
        subject_table: a CSV table with the columns ``frame`` and ``subject_column``.
        subject_column: see above.
        val_subjects: subjects to validate on; empty = those with the fewest frames, until they have a fifth of all.
        uncorrected: take files of labelme as they were predicted or converted, too, instead of leaving out those that
            nobody has changed since.
        skip_bad: leave out frames whose labels can't be used, instead of writing nothing.
        overwrite: remove what was prepared into ``out_dir`` before.
    """

    labels: Path
    frames: Path
    out_dir: Path
    source: str = "labelme"
    target: str = TRAINING
    rename: tuple[str, ...] = ()
    shapes: str = "polygons"
    tolerance: float | None = None
    size: tuple[int, int] | None = (320, 256)
    split: str = "subject"
    subject_pattern: str | None = None
    subject_table: Path | None = None
    subject_column: str = "subject"
    val_subjects: tuple[str, ...] = ()
    uncorrected: bool = False
    skip_bad: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Summary:
    """What was done.

    Attributes:
        frames: number of written frames, of data to train on by ``train`` and ``val``, else by the tool.
        names: of the classes, the background first.
        uncorrected: number of frames whose labels nobody has changed since they were predicted, left out.
        unlabelled: names of frames without shapes, left out.
        faults: names of frames whose labels can't be used, left out, with the reason.
        config: that trains on the frames; None where labels of a tool were written.
    """

    frames: Counter[str]
    names: list[str]
    uncorrected: int
    unlabelled: list[str]
    faults: list[tuple[str, str]]
    config: Path | None


class Converter:
    """Reads labels in one form and writes them in another.

    All labels are drawn before anything is written, so that labels which can't be used change no file.

    Args:
        options: what to convert.
        data: section of a config: the classes, if it names them, and how frames are read.

    Raises:
        ConfigError: an option makes no sense.
        DataError: there are no such labels.
    """

    def __init__(self, options: Options, data: Data) -> None:
        if not options.labels.exists():
            raise DataError(f"{options.labels}: no such file or folder of labels")
        self._options, self._data = options, data
        colours = data.palette if data.class_names and data.palette else palette_of(255).tolist()
        numbers = {"#{:02x}{:02x}{:02x}".format(*colour): number for number, colour in enumerate(colours)}
        self._labels = Labels(parse_renames(options.rename), numbers)
        found = FORMATS[options.source].read(options.labels)
        own = set() if options.uncorrected else _written_by_runs(options.labels)
        kept = [annotation for annotation in found.annotations if Path(annotation.where) not in own]
        self._found, self._uncorrected = found._replace(annotations=kept), len(found.annotations) - len(kept)
        self._codes = Codes()
        self._faults: list[tuple[str, str]] = []
        self._unlabelled: list[str] = []

    def run(self) -> Summary:
        """Write labels and frames.

        Raises:
            DataError: labels can't be used, and nothing was written; with ``skip_bad`` only if none can. Or frames
                can't be divided by subject.
            OutputError: files would be replaced that no conversion wrote.
        """
        drawn = self._draw_all()
        self._refuse_faults(bool(drawn))
        names = self._data.class_names or classes_of(self._found.labels, self._codes.first, self._labels)
        table = self._class_table(names)
        write = self._write_training if self._options.target == TRAINING else self._write_tool
        frames, config = write(drawn, names, table)
        return Summary(frames, names, self._uncorrected, self._unlabelled, self._faults, config)

    def _draw_all(self) -> dict[str, bytes]:
        """Labels of codes as PNGs, by name, in the order of the frames; what is wrong is noted."""
        waiting = {annotation.name: annotation for annotation in self._found.annotations}
        drawn: dict[str, bytes] = {}
        for name, frame in self._frames(set(waiting)):
            annotation = waiting.pop(name)
            size = (frame.values.shape[0], frame.values.shape[1])
            try:
                shapes = annotation.shapes(size)
                if shapes:
                    drawn[name] = cv2.imencode(".png", draw(shapes, size, self._codes))[1].tobytes()
                else:
                    self._unlabelled.append(name)
            except DataError as error:
                self._faults.append((name, str(error)))
        known = {name for name, _ in self._faults}
        for name, annotation in waiting.items():
            if name not in known:
                reason = f"no frame {name} in {self._options.frames}; frames and labels pair by name"
                self._faults.append((name, f"{annotation.where}: {reason}"))
        return drawn

    def _frames(self, names: set[str]) -> Iterator[tuple[str, ThermalFrame]]:
        def note(file: str, reason: DataError) -> None:
            if Path(file).stem in names:
                self._faults.append((Path(file).stem, str(reason)))

        sequence = open_sequence(self._options.frames, reading_of(self._data), note, wanted=names.__contains__)
        return iter(tqdm(sequence, total=len(names), desc="convert", unit="frame", dynamic_ncols=True, disable=None))

    def _class_table(self, names: list[str]) -> np.ndarray:
        """(256,) uint8: the class of each code.

        Raises:
            DataError: labels without a class; names all.
        """
        classes = ClassTable(names, self._labels, self._data.remap_classes)
        table = np.zeros(256, np.uint8)
        wrong = []
        for code, (label, where) in enumerate(self._codes.first.items(), 1):
            try:
                table[code] = classes.class_of(label, where)
            except DataError as error:
                wrong.append(f"\n  {error}")
        if wrong:
            raise DataError(f"{len(wrong)} of the labels have no class:{first_few(wrong, separator='')}")
        return table

    def _refuse_faults(self, usable: bool) -> None:
        if self._faults and not (self._options.skip_bad and usable):
            remedy = "; --skip_bad y leaves them out" if usable else ""
            reasons = first_few([f"\n  {reason}" for _, reason in self._faults], separator="")
            count = f"{len(self._faults)} of {len(self._found.annotations)}"
            raise DataError(f"the labels of {count} frames can't be used:{reasons}\nnothing was written{remedy}")
        if not usable and self._uncorrected:
            raise DataError(
                f"{self._options.labels}: holds {self._uncorrected} files that nobody has changed since they were "
                "predicted, and no other labels; correct some, or take them as they are with --uncorrected y"
            )
        if not usable:
            raise DataError(f"{self._options.labels}: none of its frames has shapes: {ASK_FOR_SHAPES}")

    def _left_out(self) -> list[tuple[str, str]]:
        return sorted([*self._faults, *((name, ASK_FOR_SHAPES) for name in self._unlabelled)])

    def _each(self, drawn: dict[str, bytes], table: np.ndarray) -> Iterator[tuple[str, ThermalFrame, np.ndarray]]:
        """Frames with their labels of classes."""
        for name, frame in self._frames(set(drawn)):
            codes = cv2.imdecode(np.frombuffer(drawn[name], np.uint8), cv2.IMREAD_UNCHANGED)
            yield name, frame, table[codes]

    def _split(self, names: list[str]) -> dict[str, str]:
        options = self._options
        if options.split == "time":
            return split_by_time(names)
        if options.split == "frame":
            return split_by_frame(names)
        if options.subject_table:
            subjects = subjects_in_table(options.subject_table, names, options.subject_column)
        else:
            subjects = subjects_by_name(names, options.subject_pattern)
        split = split_by_subject(subjects, options.val_subjects)
        chosen = sorted({subjects[name] for name in names if split[name] == "val"})
        logger.info("subjects to validate on: %s", first_few(chosen, 20))
        return split

    def _write_training(
        self, drawn: dict[str, bytes], names: list[str], table: np.ndarray
    ) -> tuple[Counter[str], Path]:
        options, data = self._options, self._data
        palette = data.palette if data.class_names else self._declared_palette(names)
        folder = TrainingFolder(
            *(options.out_dir, self._split(list(drawn)), names, palette, options.size),
            read=[options.labels, options.frames],
            made_of={"labels": options.source, "split": options.split},
            overwrite=options.overwrite,
        )
        for name, frame, label in self._each(drawn, table):
            folder.add(name, frame, label)
        write_skipped(options.out_dir, self._left_out())
        return Counter(folder.split.values()), folder.write_config()

    def _declared_palette(self, names: list[str]) -> list[list[int]] | None:
        """Colours that the labels' files declare for all classes, the background black unless it is declared."""
        colours = {self._labels.canonical(label): list(colour) for label, colour in self._found.colours.items()}
        colours.setdefault(names[0], [0, 0, 0])
        found = [colours[name] for name in names if name in colours]
        return found if len(found) == len(names) else None

    def _write_tool(self, drawn: dict[str, bytes], names: list[str], table: np.ndarray) -> tuple[Counter[str], None]:
        options = self._options
        read = [place if place.is_dir() else place.parent for place in (options.labels, options.frames)]
        refuse_sources(options.out_dir, (), read, REMEDY)
        manifest = Manifest(options.out_dir, "labels")
        manifest.refuse_others([*options.out_dir.glob("[!.]*"), *manifest.own_files()], REMEDY)
        manifest.clear()
        folder = ToolFolder(options.out_dir, options.target, names, manifest, options.shapes, options.tolerance)
        folder.finish([folder.add(name, frame.values, label) for name, frame, label in self._each(drawn, table)])
        if self._left_out():
            with manifest.writing(options.out_dir / SKIPPED_FILE):
                write_skipped(options.out_dir, self._left_out())
        return Counter({options.target: len(drawn)}), None


def _written_by_runs(folder: Path) -> set[Path]:
    """The files in a folder that predictions or conversions wrote and nobody has changed since."""
    return {
        folder / path.name
        for place, kind in ((folder, "labels"), (folder.parent, "results"))
        for path in Manifest(place, kind).own_files()
        if path.parent.resolve() == folder.resolve()
    }
