"""Values computed by the published code, where they are at hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "golden"


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of ``<name>.npz``, keys without their number; the test is skipped if there is no such file."""
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"no published values at {path}")
    with np.load(path) as file:
        found = [{} for _ in range(int(file["n"]))]
        for key in file.files:
            for index, case in enumerate(found):
                if key.endswith(f"_{index}"):
                    case[key.removesuffix(f"_{index}")] = file[key]
                elif key.startswith(f"aux_{index}/"):
                    case[key.replace(f"aux_{index}/", "aux/")] = file[key]
    for case in found:
        if "params" in case:
            case["params"] = json.loads(str(case["params"]))
    return found
