"""Every shipped config resolves, is short, and says what its name says."""

from pathlib import Path

import pytest

from lib.utils.config import load_config

CONFIGS = Path(__file__).parents[1] / "configs"
ALL = sorted(path for path in CONFIGS.rglob("*") if path.suffix in (".json", ".yaml"))
LEAVES = [path for path in ALL if path.parent.name != "_base_"]
THERMAL = {path.stem: path for path in LEAVES if path.parent.name == "thermalFaceDB"}


def names(paths):
    return [str(path.relative_to(CONFIGS)) for path in paths]


@pytest.mark.parametrize("path", ALL, ids=names(ALL))
def test_resolves_without_notes(path, tmp_path):
    config, notes = load_config(path)
    assert notes == []
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(config.to_yaml())
    assert load_config(resolved) == (config, [])


@pytest.mark.parametrize("path", LEAVES, ids=names(LEAVES))
def test_is_short(path):
    assert len(path.read_text().splitlines()) <= 20


@pytest.mark.parametrize("path", THERMAL.values(), ids=THERMAL)
def test_leaves_say_what_their_names_say(path):
    config, _ = load_config(path)
    name = path.stem
    assert (config.samcl is not None) == ("GCL" in name or "SAMCL" in name)
    assert ("random_thermal_occlusion" in config.train_trans.trans_seq) == ("Occ" in name)
    assert ("thermal_noise" in config.train_trans.trans_seq) == ("Occ" in name)
    size = [640, 512] if name.endswith("512") else [320, 256]
    assert config.train.data_transformer.input_size == config.train_trans.random_crop.crop_size == size
    prefixes = {
        "U": ("unet", "none"),
        "AU": ("attention_unet", "none"),
        "X_8": ("deeplab_v3", "xception_8"),
        "X_16": ("deeplab_v3", "xception_16"),
        "R101_8": ("deeplab_v3", "resnet101_dilated8"),
        "H_48_D_8": ("hrnet_w48", "none"),
        "R_101_O_8": ("base_ocnet", "deepbase_resnet101_dilated8"),
        "H_48_OCR": ("hrnet_w48_ocr", "none"),
        "ISA": ("isanet", "deepbase_resnet101_dilated8"),
    }
    prefix = max((prefix for prefix in prefixes if name.startswith(prefix + "_")), key=len)
    model, backbone = prefixes[prefix]
    assert config.network.model_name == model
    assert config.network.backbone == backbone
    assert config.loss.loss_type == loss_of(name)
    contrast = config.pixel_contrast
    assert (contrast is not None) == ("Contrast" in name or "MEM" in name or name.endswith("_CL"))
    assert (contrast is not None and contrast.memory_size is not None) == ("MEM" in name.upper())


def loss_of(name):
    """The loss that a config's name stands for."""
    if "DICE" in name:
        return "dice_loss"
    return "fs_aux_rmi_loss" if name.startswith(("R_101_O", "H_48_OCR", "ISA")) else "rmi_loss"


def test_configs_of_the_comparisons_are_there():
    assert {"U_Base_DICE", "AU_SAMCL_DICE_Occ", "R101_8_CL", "H_48_D_8_MEM_RMI", "H_48_D_8_MEM_RMI_Occ"} <= set(THERMAL)
    contrast = {
        f"{net}_Contrast{memory}{occ}" for net in ("U", "AU") for memory in ("", "_Mem") for occ in ("", "_Occ")
    }
    assert contrast <= set(THERMAL)


def test_contrast_has_the_published_settings():
    config, _ = load_config(THERMAL["AU_Contrast_Mem_Occ"])
    contrast = config.pixel_contrast
    assert (contrast.proj_dim, contrast.temperature, contrast.base_temperature) == (64, 0.07, 0.07)
    assert (contrast.max_samples, contrast.max_views, contrast.warmup_iters) == (1024, 1, 5000)
    assert (contrast.memory_size, contrast.pixel_update_freq) == (5000, 10)
    assert load_config(THERMAL["R101_8_CL"])[0].pixel_contrast.max_views == 100


def test_the_main_job_has_the_published_settings():
    config, _ = load_config(THERMAL["U_GCL_Occ"])
    assert config.data.remap_classes == [0, 1, 2, 3, 3, 4, 4, 5]
    assert (config.data.num_classes, config.data.num_channels, config.train.batch_size) == (6, 1, 16)
    assert (config.lr.base_lr, config.lr.lr_policy, config.lr.lambda_poly.power) == (0.01, "lambda_poly", 0.9)
    assert (config.optim.sgd.momentum, config.optim.sgd.weight_decay) == (0.9, 5e-4)
    assert (config.solver.max_iters, config.solver.display_iter, config.solver.test_interval) == (40000, 10, 1000)
    assert (config.samcl.loss_weight, config.samcl.mode, config.samcl.negative) == (2.0, "overlap", "derangement")
    assert config.normalize.norm_mode == 2


def test_the_ones_for_the_main_job_are_there():
    assert {"U_Base", "U_Occ", "U_GCL", "U_GCL_Occ"} <= set(THERMAL)
    assert (CONFIGS / "quickstart.yaml").is_file()
