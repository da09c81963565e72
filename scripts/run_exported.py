"""Segment one thermal frame with an exported network: onnxruntime, OpenCV and NumPy are all it needs.

python scripts/run_exported.py NETWORK.onnx FRAME.npy OUT_DIR    (FRAME: (H, W) in deg C)
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime


def main(network: str, frame_file: str, out_dir: str) -> None:
    """Write OUT_DIR/FRAME_label.png, whose values are classes, and OUT_DIR/FRAME_overlay.png."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    (width, height), (most_width, most_height) = json.loads(about["size"]), json.loads(about["train_size"])
    names, palette = json.loads(about["class_names"]), np.array(json.loads(about["palette"]), np.uint8)
    frame = np.load(frame_file).astype(np.float32)
    # To the size of training, in the middle of the network's, the edges repeated: aspect and extremes stay.
    scale = min(most_width / frame.shape[1], most_height / frame.shape[0])
    w, h = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    left, top = (width - w) // 2, (height - h) // 2
    image = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    image = cv2.copyMakeBorder(image, top, height - h - top, left, width - w - left, cv2.BORDER_REPLICATE)
    probabilities = session.run(None, {"frames": image[None, None]})[0][0, :, top : top + h, left : left + w]
    back = [cv2.resize(np.ascontiguousarray(one), frame.shape[::-1]) for one in probabilities]
    label = np.argmax(back, axis=0).astype(np.uint8)
    grey = cv2.normalize(frame, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    overlay = cv2.addWeighted(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), 0.6, palette[label][:, :, ::-1], 0.4, 0)
    place = Path(out_dir) / Path(frame_file).stem
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(f"{place}_label.png", label)
    cv2.imwrite(f"{place}_overlay.png", overlay)
    for index, name in enumerate(names):
        if (label == index).any():
            print(f"{name}: {(label == index).sum()} pixels, {frame[label == index].mean():.2f} deg C")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
