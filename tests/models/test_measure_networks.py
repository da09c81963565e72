"""The table of networks that lib/models/README.md shows."""

from pathlib import Path

import pytest

from scripts.measure_networks import main


def test_the_table_has_a_line_per_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "networks.md"
    networks = ["unet", "deeplab_v3:resnet18_dilated8"]
    assert (
        main([*networks, "--size", "64", "32", "--repeats", "1", "--threads", "1", "--gpu", "-1", "--out", str(out)])
        == 0
    )
    text = out.read_text()
    assert "| unet | - | 31,036,806 | 1.5 G |" in text
    assert "| deeplab_v3 | resnet18_dilated8 | 16,598,054 |" in text
    assert text in capsys.readouterr().out


def test_unknown_networks_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unett"]) == 2
    assert "did you mean unet?" in capsys.readouterr().err
