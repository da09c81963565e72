"""The example that runs an export without this project."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "run_exported.py"
PALETTE = [[0, 0, 0], [255, 0, 0]]


@pytest.fixture
def network(tmp_path):
    """An export that is sure of class 1 where a frame is warmer than 27 deg C."""
    nodes = [
        helper.make_node("Sub", ["frames", "edge"], ["warm"]),
        helper.make_node("Neg", ["warm"], ["cold"]),
        helper.make_node("Concat", ["cold", "warm"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, "height", "width"])
        for name, channels in (("frames", 1), ("probabilities", 2))
    ]
    edge = helper.make_tensor("edge", TensorProto.FLOAT, [], [27.0])
    graph = helper.make_graph(nodes, "warm", values[:1], values[1:], [edge])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    about = {"size": [64, 96], "train_size": [60, 90], "class_names": ["room", "face"], "palette": PALETTE}
    helper.set_model_props(model, {key: json.dumps(value) for key, value in about.items()})
    onnx.save(model, tmp_path / "warm.onnx")
    return tmp_path / "warm.onnx"


@pytest.mark.parametrize("size", [(96, 64), (192, 128), (60, 90), (33, 21), (300, 40)])
def test_masks_and_overlays_have_the_frames_own_size(network, tmp_path, size):
    height, width = size
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((y - 0.45 * height) / height, (x - 0.6 * width) / width) - 0.25
    frame = np.where(distance < 0, 34.0, 20.0)
    np.save(tmp_path / "a.npy", frame)
    out = tmp_path / "deep" / "out"
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(network), str(tmp_path / "a.npy"), str(out)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    label = cv2.imread(str(out / "a_label.png"), cv2.IMREAD_UNCHANGED)
    assert (label.shape, label.dtype) == (size, np.uint8)
    wrong = label != (distance < 0)
    assert np.abs(distance[wrong]).max(initial=0) < 2.5 / min(size)
    overlay = cv2.imread(str(out / "a_overlay.png"))
    assert overlay.shape == (*size, 3)
    middle = overlay[int(0.45 * height), int(0.6 * width)]
    assert middle[2] == middle[0] + 102  # two fifths of red over equal grey, in OpenCV's order
    face, pixels = next(line for line in done.stdout.splitlines() if line.startswith("face")).split(": ")
    assert int(pixels.split()[0]) == (label == 1).sum()
    assert "deg C" in pixels


def test_it_needs_onnxruntime_opencv_and_numpy_alone():
    imported = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"onnxruntime", "cv2", "numpy"}


def test_without_arguments_it_says_how_to_use_it():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "NETWORK.onnx FRAME.npy OUT_DIR" in done.stderr
