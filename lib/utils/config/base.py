"""What every section of a config shares: strict, frozen models and the few value types that users write."""

import os
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

YES_WORDS = frozenset({"y", "yes", "true", "t", "on", "1"})
NO_WORDS = frozenset({"n", "no", "false", "f", "off", "0"})
LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Unit:
    """In the annotation of a field: the unit of its value, for the reference of keys."""

    name: str


class Section(BaseModel):
    """A frozen part of a config: unknown keys, wrong types and non-finite numbers are faults."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )


def read_switch(value: Any) -> Any:
    """Words for yes and no, and 1 and 0, as booleans; anything else as it came."""
    if isinstance(value, str):
        word = value.lower()
        return True if word in YES_WORDS else False if word in NO_WORDS else value
    return bool(value) if type(value) is int and value in (0, 1) else value


def _whole(value: Any) -> Any:
    """4e4 and 40000.0 as the integer 40000; anything else as it came."""
    return int(value) if type(value) is float and abs(value) < 2**53 and value == int(value) else value


def _usable_text(text: str) -> str:
    """Refuse what no file name or log line can hold."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("text without NUL bytes and lone surrogates")
    return text


def _ordered(pair: list) -> list:
    if pair[0] > pair[1]:
        raise ValueError("[low, high] with low <= high")
    return pair


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _whole_or_more(value: Any) -> Any:
    return [value] if type(value) is int else value


Switch = Annotated[bool, BeforeValidator(read_switch)]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**31), le=2**31)]
Natural = Annotated[Whole, Field(ge=0)]
Positive = Annotated[Whole, Field(ge=1)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_usable_text)]
Path = Annotated[Text, AfterValidator(os.path.expanduser)]
Paths = Annotated[list[Path], BeforeValidator(_one_or_more)]
Wholes = Annotated[list[Whole], BeforeValidator(_whole_or_more)]
Number = Annotated[float, Field(ge=-1e12, le=1e12)]
NonNegative = Annotated[float, Field(ge=0, le=1e12)]
AboveZero = Annotated[float, Field(gt=0, le=1e12)]
Probability = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[list[Annotated[Whole, Field(ge=1, le=16384)]], Field(min_length=2, max_length=2), Unit("pixels")]
LengthOrSize = Annotated[
    list[Annotated[Whole, Field(ge=1, le=16384)]],
    BeforeValidator(_whole_or_more),
    Field(min_length=1, max_length=2),
    Unit("pixels"),
]
Interval = Annotated[list[AboveZero], Field(min_length=2, max_length=2), AfterValidator(_ordered)]
Colour = Annotated[list[Annotated[Whole, Field(ge=0, le=255)]], Field(min_length=3, max_length=3)]
Steps = Annotated[Positive, Unit("steps")]
StepsFromZero = Annotated[Natural, Unit("steps")]
Kelvin = Annotated[NonNegative, Unit("K")]
Window = Annotated[list[Number], Field(min_length=2, max_length=2), Unit("deg C")]
Betas = Annotated[list[BelowOne], Field(min_length=2, max_length=2)]
