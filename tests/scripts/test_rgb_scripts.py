"""The run scripts of the benchmarks of colour pictures: what each trains and tests, and which names are refused."""

import re
import shlex
from pathlib import Path

import pytest

from lib.utils.config import load_config
from segmentor.checking.names import check_names
from tests.scripts.conftest import REPO
from tests.scripts.test_run_scripts import dry_run, flags_of

BENCHMARKS = {"cityscapes": 19, "ade20k": 150, "lip": 20, "pascal_context": 59, "coco_stuff": 171}
"""And their numbers of classes."""
SCRIPTS = [p.relative_to(REPO).as_posix() for name in BENCHMARKS for p in REPO.glob(f"scripts/{name}/**/run_*.sh")]
REFUSED = [script for script in SCRIPTS if "REFUSED=" in (REPO / script).read_text()]
RUNNING = sorted(set(SCRIPTS) - set(REFUSED))
OCR = "scripts/cityscapes/hrnet/run_h_48_d_4_ocr.sh"
SEGFIX = "scripts/cityscapes/segfix/run_h_48_d_4_segfix.sh"


def mode_of(script):
    """What shows results: a test at multiple scales, or offsets."""
    return "segfix_pred_test" if "/segfix/" in script else "test"


def config_of(line, repo):
    config, _ = load_config(REPO / Path(line.configs).relative_to(repo), line.flags, line.pairs, [check_names])
    return config


def test_every_script_trains_and_tests_what_its_name_says(ready):
    """In one process each, as there are dozens of them."""
    calls = [(script, mode) for script in RUNNING for mode in ("train", mode_of(script))]
    done = ready.bash(
        "-c", "".join(f"(set -- {mode} mine /data /scratch --dry_run; source {script});" for script, mode in calls)
    )
    assert done.returncode == 0, done.stderr
    for (script, mode), command in zip(calls, map(shlex.split, done.stdout.splitlines()), strict=True):
        check(script, mode, config_of(flags_of(command), ready.repo))


def check(script, mode, config):
    benchmark, name = script.split("/")[1], Path(script).stem
    where = f"{script} {mode}"
    assert (config.dataset, config.data.num_classes, config.data.num_channels) == (benchmark, BENCHMARKS[benchmark], 3)
    assert config.phase == {"train": "train", "test": "test"}.get(mode, "test_offset"), where
    assert ("hrnet" in config.network.model_name) == ("_h_48" in name or "_hx_" in name), where
    assert ("ocr" in config.network.model_name) == ("ocr" in name), where
    assert (config.network.model_name == "segfix_hrnet") == ("segfix" in name), where
    assert ("ohem" in config.loss.loss_type) == ("ohem" in name), where
    assert config.data.include_val == ("trainval" in name), where
    contrast = config.pixel_contrast
    assert (contrast is not None) == ("contrast" in name), where
    if mode == "train":
        assert config.normalize.div_value == (255 if "_h" in name else 1), where
        assert contrast is None or contrast.loss_weight == (1 if "mem" in name else 0.1), where
        assert contrast is None or (contrast.memory_size is not None) == ("mem" in name), where
        assert ("aux" in config.loss.loss_type) == ("ocr" in name or "_r_101" in name), where
    elif mode == "test":
        assert config.test.mode == "ms_test", where
        assert config.test.scale_search == [0.5 + 0.25 * i for i in range(5 if benchmark == "lip" else 7)], where
        assert config.test.flip, where
        assert config.test.raw_labels, where


@pytest.mark.parametrize(
    ("script", "iterations", "rate", "weight_decay", "batch"),
    [
        (OCR, 80000, 0.01, 5e-4, 8),
        ("scripts/cityscapes/hrnet/run_h_48_d_4_contrast.sh", 40000, 0.01, 5e-4, 8),
        (SEGFIX, 80000, 0.04, 5e-4, 16),
        ("scripts/ade20k/hrnet/run_h_48_d_4_ocr_ohem.sh", 150000, 0.02, 1e-4, 16),
        ("scripts/lip/run_h_48_d_4_train.sh", 100000, 0.007, 5e-4, 32),
        ("scripts/pascal_context/run_r_101_d_8_train.sh", 30000, 0.001, 1e-4, 16),
        ("scripts/coco_stuff/run_r_101_d_8_train.sh", 60000, 0.001, 1e-4, 16),
    ],
)
def test_schedules_are_the_published_ones(ready, script, iterations, rate, weight_decay, batch):
    config = config_of(flags_of(dry_run(ready, script, "train", "n", "/d", "/s")), ready.repo)
    found = config.solver.max_iters, config.lr.base_lr, config.optim.sgd.weight_decay, config.train.batch_size
    assert found == (iterations, rate, weight_decay, batch)
    assert config.lr.nbb_mult == (10 if config.lr.base_lr == 0.001 else 1)


def test_single_scale_may_stand_third_or_fifth(ready):
    commands = [dry_run(ready, OCR, "test", "n", *rest) for rest in (["ss", "/d", "/s"], ["/d", "/s", "ss"])]
    assert commands[0] == commands[1]
    line = flags_of(commands[0])
    assert config_of(line, ready.repo).test.mode == "ss_test"
    assert line.flags["test.out_dir"] == "/s/seg_results/cityscapes/hrnet_w48_ocr_n_test_ss"
    assert line.flags["network.resume"] == "/s/Cityscapes/checkpoints/cityscapes/hrnet_w48_ocr_n_max_performance.pth"


def test_data_and_imagenet_weights_are_found_under_either_name(ready, tmp_path):
    (tmp_path / "cityscapes").mkdir()
    (tmp_path / "hrnetv2_w48_imagenet_pretrained.pth").touch()
    flags = flags_of(dry_run(ready, OCR, "train", "n", str(tmp_path), "/s", "--max_iters", "5")).flags
    assert flags["data.data_dir"] == [f"{tmp_path}/cityscapes"]
    assert flags["network.pretrained"] == f"{tmp_path}/hrnetv2_w48_imagenet_pretrained.pth"
    assert flags["solver.max_iters"] == 5
    resumed = flags_of(dry_run(ready, OCR, "resume", "n", str(tmp_path), "/s")).flags
    assert "network.pretrained" not in resumed
    assert resumed["network.resume_continue"] is True


def test_segfix_predicts_by_windows_and_mends_masks_of_others(ready):
    by_windows = flags_of(dry_run(ready, SEGFIX, "segfix_pred_val", "n", "/d", "/s"))
    config = config_of(by_windows, ready.repo)
    assert (config.test.mode, config.test.crop_size) == ("sscrop_test", [512, 512])
    assert int(512 * config.test.crop_stride_ratio) == 170
    simple = flags_of(dry_run(ready, SEGFIX, "segfix_simple_pred_val", "n", "/d", "/s"))
    assert config_of(simple, ready.repo).test.mode == "ss_test"
    command = dry_run(ready, OCR, "segfix", "n", "val", "/d", "/s")
    masks = "/s/seg_results/cityscapes/hrnet_w48_ocr_n_val/label"
    assert command[1].endswith("/scripts/segfix.py")
    assert command[2:6] == ["--input", masks, "--out", f"{masks}_w_segfix"]
    assert command[7] == by_windows.flags["test.out_dir"]


def test_what_is_not_here_is_refused_with_the_nearest_that_is(ready):
    each = "".join(f"(set -- train n /d /s; source {script}) || true;" for script in REFUSED)
    lines = ready.bash("-c", each).stderr.splitlines()
    nearest = [re.fullmatch(r"error: .+\. The nearest is (scripts/.+\.sh)\.", line)[1] for line in lines]
    assert len(nearest) == len(REFUSED)
    assert set(nearest) <= set(RUNNING)


def test_wrong_arguments_print_the_usage(ready):
    done = ready.bash(OCR, "train", "n", "ss")
    assert done.returncode == 2
    assert "train|resume|val|test|segfix NAME DATA_ROOT SCRATCH_ROOT [ss]" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: expected 4 arguments before options, got 2: train n")
    assert "expected train, resume, segfix_pred_val" in ready.bash(SEGFIX, "val", "n", "/d", "/s").stderr
    assert "'val' does not go with test" in ready.bash(OCR, "test", "n", "/d", "/s", "val").stderr
