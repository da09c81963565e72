"""The scripts of ThermalImagesDataset: preparation, and the commands that run.sh makes."""

import shlex
from pathlib import Path

import pytest

from lib.utils.cli import parse_command_line
from lib.utils.config import load_config
from scripts.drivers.prepare_data import main
from tests.datasets.drivers.helpers import landmarks_file, write_clone
from tests.scripts.conftest import REPO

RUN = "scripts/drivers/run.sh"
NETWORKS = ("U", "AU", "R101", "X", "H")
STRATEGIES = ("Base", "Occ", "SAMCL_Occ")


def test_preparing_says_what_was_done_and_whose_the_masks_are(tmp_path, capsys):
    clone, out = write_clone(tmp_path / "clone"), tmp_path / "Processed"
    arguments = [str(clone), str(out), "--val_subjects", "2_Man", "--unconstrained", "glasses", "--workers", "1"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert f"train: 3 frames in {out / 'train'} (3 now, 0 before)" in said
    assert "unconstrained: 3 frames" in said
    assert "left out: 3 frames with glasses" in said
    assert "the authors' detector predicted" in said
    landmarks_file(clone, "2_Man_Glasses2_Normal", 1).write_text("")
    assert main(arguments) == 1
    assert "2-Man_Glasses2_Normal_00001: " in capsys.readouterr().out
    assert main([*arguments, "--skip_bad", "y"]) == 0


def test_wrong_folders_are_errors(tmp_path, capsys):
    assert main([str(tmp_path / "no"), str(tmp_path / "out")]) == 2
    assert "CLONE_DIR is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_commands_name_the_network_and_the_strategy(ready, network, strategy):
    done = ready.bash(RUN, network, strategy, "val", "mine", "/data", "/scratch", "--dry_run")
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout)
    line = parse_command_line(words[words.index("--configs") :])
    config = Path(line.configs).relative_to(ready.repo)
    assert config == Path("configs/drivers", f"{network}_{strategy}.json")
    resolved, _ = load_config(REPO / config)
    name = f"{resolved.network.model_name}_{resolved.network.backbone}_{strategy}_mine"
    checkpoints = Path("/scratch/Processed", resolved.checkpoints.checkpoints_dir)
    assert checkpoints == Path("/scratch/Processed/checkpoints/drivers")
    assert line.flags["network.resume"] == f"{checkpoints}/{name}_max_performance.pth"
    assert line.flags["test.out_dir"] == f"/scratch/seg_results/drivers/{name}_val"
    assert ("random_thermal_occlusion" in resolved.train_trans.trans_seq) == (strategy != "Base")
    assert ("samcl.json" in (REPO / config).read_text()) == (strategy == "SAMCL_Occ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected U, AU, R101, X or H as NETWORK, got ''"),
        (["u", "Base"], "got 'u'"),
        (["U", "TiAug"], "expected Base, Occ or SAMCL_Occ as STRATEGY, got 'TiAug'"),
        (["U", "Base", "train", "n"], f"usage: bash {RUN} U Base train"),
    ],
)
def test_wrong_arguments_print_the_usage(ready, arguments, said):
    done = ready.bash(RUN, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
