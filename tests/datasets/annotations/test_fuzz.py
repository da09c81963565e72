"""Files of tools, changed at random, give shapes or an error that names the file."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.shapes import Codes, draw
from lib.utils.errors import DataError
from tests.datasets.annotations.labels import face
from tests.datasets.annotations.test_formats import FILES, write
from tests.datasets.annotations.test_label_studio import export, region
from tests.datasets.annotations.test_run_lengths import OF_LABEL_STUDIO
from tests.fuzz import cases

SIZE = (60, 70)
ODD = st.one_of(
    *(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8)),
    *(st.just([]), st.just({}), st.just([[]]), st.just([None]), st.just("NaN"), st.just(1e400)),
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Text by tool: polygons and masks."""
    texts = {}
    for tool, file in FILES.items():
        for kind in ("polygons", "masks"):
            folder = write(tmp_path_factory.mktemp(tool), tool, face(), kind)
            texts[tool, kind] = (folder / file).read_text()
    folder = tmp_path_factory.mktemp("label_studio")
    export(
        folder,
        region("polygon", {"points": [[20, 25], [60, 25], [60, 75]]}, size=SIZE),
        region("rectangle", {"x": 40, "y": 50, "width": 10, "height": 10, "rotation": 9}, size=SIZE),
        region("brush", {"rle": list(OF_LABEL_STUDIO)}, size=SIZE),
    )
    texts["label_studio", "all"] = (folder / "export.json").read_text()
    return texts


def read_all(tool, path):
    """Read and draw everything; only a DataError that names the file may come."""
    said = path.name
    try:
        for annotation in FORMATS[tool].read(path).annotations:
            drawn = draw(annotation.shapes(SIZE), SIZE, Codes())
            assert (drawn.shape, drawn.dtype) == (SIZE, np.uint8)
    except DataError as error:
        said = str(error)
    assert path.name in said


@pytest.mark.parametrize("tool", [*FILES, "label_studio"])
@cases(40)
@given(data=st.data())
def test_changed_text_of_annotations(tool, documents, tmp_path, data):
    text = documents[data.draw(st.sampled_from([key for key in documents if key[0] == tool]))]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    path = tmp_path / FILES.get(tool, "export.json")
    path.write_text(text[:start] + data.draw(st.text("0123456789.-e,;<>/[]{}\"' \n", max_size=6)) + text[end:])
    read_all(tool, path)


@pytest.mark.parametrize("tool", ["labelme", "coco", "label_studio"])
@cases(40)
@given(data=st.data())
def test_changed_values_of_annotations(tool, documents, tmp_path, data):
    content = json.loads(documents[data.draw(st.sampled_from([key for key in documents if key[0] == tool]))])
    place, key = content, None
    while isinstance(place, dict | list) and place:
        parent, key = place, data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        place = parent[key]
        if data.draw(st.integers(0, 3)) == 0:
            break
    parent[key] = data.draw(ODD)
    path = tmp_path / FILES.get(tool, "export.json")
    path.write_text(json.dumps(content))
    read_all(tool, path)
