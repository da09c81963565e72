"""Exports: they compute what the network does, for any batch and size, say what they are, and are refused otherwise."""

import io
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import main
from lib.datasets.build import normalization
from lib.models import NETWORKS, build_network
from lib.thermal import normalize
from lib.utils.config import Config
from lib.utils.config.data_sections import Normalize
from lib.utils.errors import CheckpointError, ConfigError, DataError, OutputError
from lib.utils.runtime import start_runtime
from segmentor.export import exportable, exporter
from segmentor.export.exporter import Exporter
from tests.models.configs import fill
from tests.segmentor.conftest import Tiny


class OneSize(Tiny):
    """Takes frames of 64 x 64 alone."""

    def __init__(self):
        super().__init__(num_classes=3)
        self.place = nn.Parameter(torch.zeros(1, 1, 64, 64))

    def forward(self, image):
        return super().forward(image + self.place)


class Branching(Tiny):
    """Decides by what it sees, in Python."""

    def forward(self, image):
        return super().forward(-image if image.sum() > 0 else image)


@pytest.fixture(autouse=True)
def small_networks(new_networks):
    """The networks above, by name, for the time of a test."""
    new_networks.register("one_size", provides=(), backbone=False)(lambda config: OneSize())
    new_networks.register("branching", provides=(), backbone=False)(lambda config: Branching(3))


TINY = ("network.model_name=tiny", "export.format=torch_export")


@pytest.fixture
def export(make_config, tmp_path):
    """Export a network of known weights; returns the folder that the file goes to, and the network."""

    def export(*pairs):
        config = make_config("phase=export", f"test.out_dir={tmp_path / 'out'}", *pairs)
        network = fill(build_network(config)).eval()
        torch.save({"state_dict": network.state_dict()}, tmp_path / "net.pth")
        config = config.model_copy(
            update={"network": config.network.model_copy(update={"resume": str(tmp_path / "net.pth")})}
        )
        with start_runtime(config) as runtime:
            Exporter(config, runtime).run()
        return tmp_path / "out", network

    return export


def probabilities_of(network, frames, section=None):
    """What the network makes of frames (N, 1, H, W) in deg C, by the normalisation of training."""
    images = np.stack([normalize(frame[0], **normalization(section or Normalize()))[None] for frame in frames])
    with torch.inference_mode():
        return network(torch.from_numpy(images)).logits.softmax(1).numpy()


def frames_of(*shape, seed=0):
    return np.random.default_rng(seed).uniform(18, 36, shape).astype(np.float32)


def test_onnx_computes_what_the_network_does_for_any_batch_and_size(export):
    out, network = export("network.base_channels=2")
    [path] = out.glob("[!.]*")
    assert path.name == "net.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for shape in ((1, 1, 64, 64), (4, 1, 96, 128), (2, 1, 160, 32)):
        frames = frames_of(*shape)
        [got] = session.run(None, {"frames": frames})
        assert got.dtype == np.float32
        assert np.abs(got - probabilities_of(network, frames)).max() < 1e-5
        assert np.abs(got.sum(1) - 1).max() < 1e-5
    flat = np.full((1, 1, 64, 64), 30, np.float32)
    assert np.abs(session.run(None, {"frames": flat})[0] - probabilities_of(network, flat)).max() < 1e-5


def test_onnx_says_what_it_is(export):
    out, _ = export("network.model_name=tiny", "data.palette=[[0,0,0],[255,0,0],[0,0,255]]", "normalize.window=[15,40]")
    model = onnx.load(out / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(about["class_names"]) == ["room", "disc", "square"]
    assert json.loads(about["palette"]) == [[0, 0, 0], [255, 0, 0], [0, 0, 255]]
    assert json.loads(about["train_size"]) == [64, 48]
    assert json.loads(about["size"]) == [64, 64], "in multiples of 32"
    assert json.loads(about["normalize"])["window"] == [15, 40]
    assert (about["size_multiple"], about["model_name"]) == ("32", "tiny")
    assert "deg C" in about["input"]
    for value, name, channels in ((model.graph.input, "frames", 1), (model.graph.output, "probabilities", 3)):
        [value] = value
        shape = [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        assert (value.name, shape) == (name, ["batch", channels, "height", "width"])


def without_repeats(network):
    """Leave one of consecutive blocks of the same shapes: what is exported stays the same kind, and takes seconds."""
    # Parallel branches may have the same shapes; a list of so many is a sequence.
    chains = [
        m for m in network.modules() if isinstance(m, nn.Sequential) or (isinstance(m, nn.ModuleList) and len(m) > 9)
    ]
    for sequence in chains:
        blocks, before = [], None
        for block in sequence:
            shapes = (type(block), [value.shape for value in block.state_dict().values()])
            if not shapes[1] or shapes != before:
                blocks.append(block)
            before = shapes
        sequence._modules = {str(index): block for index, block in enumerate(blocks)}
    return network


NETWORK_NAMES = [
    ("base_ocnet", "resnet18_dilated8", "onnx"),
    ("deeplab_v3", "resnet18_dilated8", "torch_export"),
    pytest.param("deeplab_v3", "xception_16", "torch_export", marks=pytest.mark.thorough),
    ("attention_unet", "none", "torch_export"),
    pytest.param("hrnet_w18", "none", "torch_export", marks=pytest.mark.thorough),
    *(
        pytest.param(name, "resnet18_dilated8", "onnx", marks=pytest.mark.thorough)
        for name in (
            *("spatial_ocrnet", "spatial_asp_ocrnet", "asp_ocnet", "isanet", "fcnet"),
            *("deeplab_v3_contrastiveseg", "segfix_hrnet"),
        )
    ),
    pytest.param("hrnet_w18_ocr", "none", "onnx", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize(("name", "backbone", "kind"), NETWORK_NAMES)
def test_every_network_is_exported_for_any_size(export, name, backbone, kind):
    @NETWORKS.register("shallow", provides=(), backbone=backbone != "none")
    def build(config):
        named = config.network.model_copy(update={"model_name": name})
        return without_repeats(NETWORKS.get(name)(config.model_copy(update={"network": named})))

    out, network = export(
        "network.model_name=shallow", f"network.backbone={backbone}", "network.base_channels=2", f"export.format={kind}"
    )
    frames = frames_of(3, 1, 96, 64)
    if kind == "onnx":
        got = onnxruntime.InferenceSession(out / "net.onnx").run(None, {"frames": frames})[0]
    else:
        extra = {"metadata.json": ""}
        program = torch.export.load(io.BytesIO((out / "net.pt2").read_bytes()), extra_files=extra)
        got = program.module()(torch.from_numpy(frames)).detach().numpy()
        assert json.loads(extra["metadata.json"])["size_multiple"] == "32"
    assert np.abs(got - probabilities_of(network, frames)).max() < 1e-5


def test_an_export_that_computes_something_else_is_not_written(export, monkeypatch, tmp_path):
    before = (export(*TINY)[0] / "net.pt2").read_bytes()
    monkeypatch.setattr(exportable, "normalize_tensor", lambda frames, **options: frames / 40)
    with pytest.raises(FloatingPointError, match=r"net\.pt2: not written.*expected less than 1e-04"):
        export(*TINY)
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["net.pt2"]
    assert (tmp_path / "out" / "net.pt2").read_bytes() == before


def test_a_file_that_no_export_wrote_is_not_replaced(export, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "net.pt2").write_bytes(b"of others")
    with pytest.raises(OutputError, match=r"net\.pt2.*--out_dir"):
        export(*TINY)
    assert (tmp_path / "out" / "net.pt2").read_bytes() == b"of others"


def test_an_export_that_computes_no_numbers_is_not_written(export, monkeypatch, tmp_path):
    monkeypatch.setattr(
        exporter, "_run_torch_export", lambda content: lambda frames: np.full_like(frames, np.nan).repeat(3, 1)
    )
    with pytest.raises(FloatingPointError, match="nan"):
        export(*TINY)
    assert not list((tmp_path / "out").iterdir())


def test_the_export_is_tried_on_real_frames_where_there_are_some(export, data_dir, project_log, monkeypatch):
    tried = []

    def run(content):
        module = torch.export.load(io.BytesIO(content)).module()

        def call(frames):
            tried.append(frames)
            return module(torch.from_numpy(frames)).numpy()

        return call

    monkeypatch.setattr(exporter, "_run_torch_export", run)
    export(*TINY)
    assert [frames.shape for frames in tried] == [(1, 1, 64, 64), (3, 1, 64, 64), (2, 1, 96, 96)]
    first = np.load(data_dir / "val" / "image" / "val0.npy")
    assert (tried[0][0, 0, 8:56] == first).all()
    assert "3 batches of real frames" in project_log.text
    export(*TINY, "data.data_dir=[]")
    assert "3 batches of generated frames" in project_log.text


def test_real_frames_that_are_not_there_are_named(export, tmp_path):
    with pytest.raises(DataError, match="gone"):
        export(*TINY, f"test.test_dir={tmp_path / 'gone'}")


def test_a_network_of_one_size_is_exported_for_that_size(export, project_log):
    out, network = export("network.model_name=one_size", "export.format=onnx")
    assert "64 x 64 (height x width)" in project_log.text
    session = onnxruntime.InferenceSession(out / "net.onnx")
    assert session.get_inputs()[0].shape == ["batch", 1, 64, 64]
    assert session.get_modelmeta().custom_metadata_map["size_multiple"] == "0"
    frames = frames_of(3, 1, 64, 64)
    assert np.abs(session.run(None, {"frames": frames})[0] - probabilities_of(network, frames)).max() < 1e-5


def test_a_network_that_cannot_be_exported_says_why(export, tmp_path):
    with pytest.raises(ConfigError, match="branching can't be exported"):
        export("network.model_name=branching")
    assert not (tmp_path / "out").exists()


def test_missing_packages_are_named_before_anything_is_done(export, monkeypatch):
    monkeypatch.setattr(exporter, "find_spec", lambda name: None if name.startswith("onnx") else object())
    with pytest.raises(ConfigError, match="pip install onnx onnxscript onnxruntime.*torch_export"):
        export()
    out, _ = export(*TINY)
    assert (out / "net.pt2").is_file()


def test_no_checkpoint_names_resume(make_config):
    config = make_config("phase=export")
    with start_runtime(config) as runtime, pytest.raises(CheckpointError, match="--resume"):
        Exporter(config, runtime)


def test_the_command_line_takes_the_config_out_of_the_checkpoint(make_config, tmp_path, capsys):
    config = make_config(TINY[0], "normalize.norm_mode=1")
    content = {
        "state_dict": fill(build_network(config)).state_dict(),
        "config_dict": json.loads(Config.model_validate(config.model_dump()).model_dump_json()),
    }
    torch.save(content, tmp_path / "face.pth")
    out = tmp_path / "exported"
    command = ["--phase", "export", "--resume", str(tmp_path / "face.pth"), "--out_dir", str(out)]
    assert main.main([*command, "--format", "torch_export", "--gpu", "-1"]) == 0
    extra = {"metadata.json": ""}
    torch.export.load(io.BytesIO((out / "face.pt2").read_bytes()), extra_files=extra)
    assert json.loads(json.loads(extra["metadata.json"])["normalize"])["norm_mode"] == 1
    printed = capsys.readouterr().out
    assert f"exporting {tmp_path / 'face.pth'} to {out / 'face.pt2'}" in printed
    assert "largest difference" in printed
