"""What preparing any database for training takes: one owner of a folder, resuming, and what was skipped."""

import csv
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest, refuse_sources
from lib.utils.text import first_few

log = logging.getLogger("samcl")

OPTIONS_FILE = "prepare.json"
SKIPPED_FILE = "skipped.csv"
REMEDY = "choose another OUT_DIR, or move them away"


def claim_folder(
    out_dir: Path,
    options: Mapping[str, object],
    outputs: Collection[Path],
    expected: Collection[Path],
    overwrite: bool,
    read: Collection[Path],
    tables: Iterable[str] = (),
) -> Manifest:
    """Make sure that ``out_dir`` holds nothing, or only what was prepared of these frames with the same options.

    Args:
        out_dir: gets ``prepare.json`` with the options.
        options: what decides the content of prepared files; JSON values.
        outputs: prepared files that are in ``out_dir`` now.
        expected: those that it may hold in the end. Others would be trained on, or be in two splits.
        overwrite: remove ``outputs`` instead of asking questions; never those that no preparation wrote.
        read: folders that frames are read from.
        tables: names of files about all frames.

    Returns:
        The manifest of the prepared files, to list those that are written.

    Raises:
        ConfigError: ``out_dir`` is a folder that is read.
        DataError: prepared with other options, of unknown origin, or of other frames.
        OutputError: files would be replaced or removed that no preparation wrote.
    """
    path, manifest = out_dir / OPTIONS_FILE, Manifest(out_dir, "prepare")
    refuse_sources(out_dir, {str(file.parent.relative_to(out_dir)) for file in expected}, read, REMEDY)
    if not path.exists() and outputs:
        raise DataError(
            f"{out_dir}: holds frames ({next(iter(outputs))}) but no {OPTIONS_FILE}, so their origin is unknown. "
            "Choose another OUT_DIR, or move them away."
        )
    if not path.exists() and not manifest.exists():
        manifest.refuse_others([out_dir / name for name in (SKIPPED_FILE, *tables)], REMEDY)
    if not path.exists():
        overwrite = False  # there is nothing
    elif not overwrite:
        before = _read_options(path)
        differing = [
            f"{key} was {before.get(key)}, now {options.get(key)}"
            for key in (*options, *(key for key in before if key not in options))
            if before.get(key) != options.get(key)
        ]
        if differing and outputs:
            raise DataError(
                f"{out_dir}: was prepared with other options ({'; '.join(differing)}). "
                "Choose another OUT_DIR, or --overwrite y to prepare it anew."
            )
        _refuse_strangers(out_dir, outputs, set(expected))
    if path.exists() and not manifest.exists():  # of a former version, for which this file stood for all
        with manifest.writing(*outputs):
            pass
    if overwrite:
        manifest.refuse_others(outputs, REMEDY)
        manifest.clear()
    with atomic_write(path, "w") as file:
        file.write(json.dumps(options, indent=2) + "\n")
    return manifest


def _refuse_strangers(out_dir: Path, outputs: Iterable[Path], expected: set[Path]) -> None:
    strangers = sorted({path.stem: path for path in outputs if path not in expected}.values())
    if strangers:
        listed = first_few([path.relative_to(out_dir) for path in strangers])
        raise DataError(
            f"{out_dir}: holds {len(strangers)} frames that RAW_DIR doesn't, or not in that split: {listed}. "
            "Remove them, choose another OUT_DIR, or --overwrite y to prepare it anew."
        )


def _read_options(path: Path) -> dict:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: unreadable ({error}); --overwrite y prepares its folder anew") from error
    return content if isinstance(content, dict) else {}


def is_prepared(outputs: Sequence[Path], sources: Iterable[Path]) -> bool:
    """Whether the files of a prepared frame are there, not empty, and no older than those that it was made of."""
    # A power cut may have left files empty, as nobody waited for the disk.
    if not all(path.exists() and path.stat().st_size for path in outputs):
        return False
    made = min(path.stat().st_mtime for path in outputs)
    return not any(path.exists() and path.stat().st_mtime > made for path in sources)


def check_val_subjects(subjects: Collection[str], val_subjects: Collection[str]) -> None:
    """Raise a DataError if the database has none of the validation subjects; warn of some that it hasn't."""
    absent = sorted(set(val_subjects) - set(subjects))
    listing = " ".join(sorted(subjects)[:12]) + (" ..." if len(subjects) > 12 else "")
    if val_subjects and len(absent) == len(set(val_subjects)):
        raise DataError(
            f"none of the validation subjects ({' '.join(absent)}) is in the database, whose {len(subjects)} "
            f"subjects are {listing}; name some with --val_subjects, or none with --val_subjects none"
        )
    if absent:
        log.warning("validation subjects that aren't in the database: %s", " ".join(absent))
    if set(subjects) <= set(val_subjects):
        log.warning("all subjects (%s) are validation subjects; there is nothing to train on", listing)


def write_skipped(out_dir: Path, skipped: Iterable[tuple[str, str]]) -> None:
    """Write ``skipped.csv``: the name and the reason of each frame that was left out."""
    with atomic_write(out_dir / SKIPPED_FILE, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "reason"))
        writer.writerows(skipped)
