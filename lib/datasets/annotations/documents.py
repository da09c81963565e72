"""JSON and XML files of annotation tools: found, read, and their entries checked."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from xml.etree import ElementTree

from lib.datasets.annotations.shapes import Annotation
from lib.utils.errors import DataError
from lib.utils.text import first_few

T = TypeVar("T")
MAX_BYTES = 1 << 30


def read_text(path: Path) -> str:
    """Content of a UTF-8 file.

    Raises:
        DataError: missing, unreadable, empty, over 1 GiB, or no such text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: over 1 GiB; export it in parts")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no text ({error}); export it anew") from error
    except OSError as error:
        raise DataError(f"{path}: unreadable ({error.strerror or error})") from error
    if not text.strip():
        raise DataError(f"{path}: empty; label its frame anew, or remove the file")
    return text


def read_json(path: Path) -> Any:
    """Content of a JSON file; raises a DataError as :func:`read_text`, or if it isn't JSON."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not JSON, or cut off ({error}); export it anew") from error


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file; raises a DataError as :func:`read_text`, or if it isn't XML, or declares entities."""
    text = read_text(path)
    if "<!DOCTYPE" in text[:4096]:
        raise DataError(f"{path}: declares a document type, as no annotation tool does; export it anew")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{path}: not XML, or cut off ({error}); export it anew") from error


def find_document(path: Path, ending: str, tool: str) -> Path:
    """``path``, or the one file with ``ending`` in the folder ``path``, or in ``annotations`` in it as in archives.

    Raises:
        DataError: there is none, or there are several.
    """
    if path.is_file():
        return path
    found = sorted(path.glob(f"[!.]*{ending}")) or sorted(path.glob(f"annotations/[!.]*{ending}"))
    if len(found) == 1:
        return found[0]
    there = f"; there are {first_few([file.name for file in found])}" if found else ""
    raise DataError(f"{path}: expected the {ending} file of {tool}, or a folder with one{there}; name the file")


def entry(mapping: Any, key: str, kind: type[T], where: str) -> T:
    """What ``mapping`` holds at ``key``.

    Raises:
        DataError: no mapping, no such key, or a value that is no ``kind``.
    """
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {list: "a list", dict: "an object", str: "a text", int: "a whole number", float: "a number"}
        raise DataError(f"{where}: expected {words[kind]} at {key!r}, got {str(value)[:60]}; export it anew")
    return value


def stem_of(file: str) -> str:
    """The name of a frame: what a tool calls its picture, without folders and ending.

    >>> stem_of("day1\\\\sub007_f01.jpg_lfb.png")
    'sub007_f01.jpg_lfb'
    """
    return PurePosixPath(file.replace("\\", "/")).stem


def check_names(annotations: Sequence[Annotation]) -> None:
    """Raise a DataError if two annotations are of frames of the same name, as pictures in two folders may be."""
    seen: dict[str, str] = {}
    for one in annotations:
        if one.name in seen:
            raise DataError(
                f"{one.where}: its frame is called {one.name}, like that of {seen[one.name]}; give frames different "
                "names, or convert the labels of their folders one by one"
            )
        seen[one.name] = one.where


def different(labels: Iterable[str]) -> list[str]:
    """Labels in their order, each once."""
    return list(dict.fromkeys(labels))
