"""Published weights: small, without paths, and the same predictions."""

import torch

from lib.models import build_network
from lib.models.weights import load_weights
from lib.utils.checkpoint import load_checkpoint, portable_config, save_checkpoint
from scripts.wild.publish_weights import main


def test_a_checkpoint_is_stripped_to_what_its_network_needs(make_config, tmp_path):
    config = make_config("data.data_dir=/home/someone/faces", "network.base_channels=8")
    network = build_network(config).eval()
    content = {"state_dict": network.state_dict(), "config_dict": config.model_dump(mode="json"), "training": {"x": 1}}
    save_checkpoint(tmp_path / "run.pth", content, "")
    out = tmp_path / "published" / "face.pth"
    assert main([str(tmp_path / "run.pth"), str(out), "--input_size", "96", "80"]) == 0

    published = load_checkpoint(out)
    assert set(published) == {"state_dict", "config_dict"}
    assert portable_config(out) == published["config_dict"]
    assert published["config_dict"]["train"]["data_transformer"]["input_size"] == [96, 80]
    assert "someone" not in str(published["config_dict"]) + out.with_suffix(".yaml").read_text()
    assert out.stat().st_size < 0.6 * (tmp_path / "run.pth").stat().st_size

    image = torch.randn(1, 1, 48, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = network(image).logits.softmax(1)
        assert load_weights(network, out) == []
        torch.testing.assert_close(network(image).logits.softmax(1), wanted, atol=2e-3, rtol=0)


def test_of_several_checkpoints_the_mean_is_published(make_config, tmp_path):
    config = make_config("network.base_channels=8")
    states = [build_network(config).state_dict() for _ in range(2)]
    for number, state in enumerate(states):
        save_checkpoint(
            tmp_path / f"{number}.pth", {"state_dict": state, "config_dict": config.model_dump(mode="json")}, ""
        )
    out = tmp_path / "face.pth"
    assert main([str(tmp_path / "0.pth"), str(out), "--average", str(tmp_path / "1.pth")]) == 0
    name = "classifier.weight"
    mean = (states[0][name] + states[1][name]) / 2
    torch.testing.assert_close(load_checkpoint(out)["state_dict"][name], mean.half())


def test_what_is_no_checkpoint_is_refused(tmp_path, capsys):
    assert main([str(tmp_path / "none.pth"), str(tmp_path / "out.pth")]) == 1
    assert "no such checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "out.pth").exists()
