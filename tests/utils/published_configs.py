"""Config trees in the published style: all their keys, with values of theirs. Made up, none is a published file."""

from copy import deepcopy
from typing import Any

TRANSFORMER = {"size_mode": "fix_size", "input_size": [320, 256], "align_method": "only_pad"}
RMI = {
    "rmi_radius": 3,
    "rmi_pool_way": 0,
    "rmi_pool_size": 3,
    "rmi_pool_stride": 3,
    "loss_weight_lambda": 0.5,
    "loss_weight": 1.0,
    "lambda_way": 1,
    "use_sigmoid": False,
    "num_classes": 6,
}
CE = {
    "ce_weight": [0.85, 0.9, 1.0, 1.0, 1.0, 1.0],
    "ce_reduction": "mean",
    "ce_ignore_index": -1,
    "ohem_minkeep": 100000,
    "ohem_thresh": 0.9,
}
DICE = {
    "mode": "multiclass",
    "classes": [0, 1, 2, 3, 4, 5],
    "log_loss": True,
    "from_logits": True,
    "smooth": 0.0,
    "eps": 1e-07,
    "ignore_index": "none",
}
CONTRAST = {
    "proj_dim": 64,
    "temperature": 0.07,
    "base_temperature": 0.07,
    "max_samples": 1024,
    "max_views": 1,
    "stride": 8,
    "warmup_iters": 5000,
    "loss_weight": 1,
    "use_rmi": True,
    "use_lovasz": False,
    "with_memory": False,
    "memory_size": 5000,
    "pixel_update_freq": 10,
}
GCL = {"loss_weight": 0.5, "apply_spectral_norm": False}
TIAUG = ["thermal_noise", "random_thermal_occlusion"]


def published(
    model: str = "unet",
    backbone: str = "none",
    loss: str = "rmi_loss",
    gcl: bool = False,
    contrast: bool = False,
    critic: str = "samcl_auxiliary_4",
    critic_loss: str = "samcl_loss_4",
) -> dict[str, Any]:
    """A thermal config for one network and loss; everything else is alike in all of them."""
    tree = {
        "dataset": "thermalFaceDB",
        "method": "fcn_segmentor",
        "data": {
            "image_tool": "npy",
            "input_mode": "therm",
            "num_classes": 6,
            "num_channels": 1,
            "use_gcl_input": False,
            "label_list": [0, 1, 2, 3, 4, 5, 6, 7],
            "remap_classes": [0, 1, 2, 3, 3, 4, 4, 5],
            "data_dir": "/somewhere/Processed",
            "workers": 0,
        },
        "train": {
            "batch_size": 16,
            "loader": "thermalFaceDB",
            "data_transformer": {**TRANSFORMER, "pad_mode": "random"},
        },
        "val": {"batch_size": 16, "loader": "thermalFaceDB", "mode": "ss_test", "data_transformer": TRANSFORMER},
        "test": {
            "batch_size": 16,
            "loader": "thermalFaceDB",
            "mode": "ss_test",
            "out_dir": "ckpts/thermalFaceDB/UNET",
            "data_transformer": TRANSFORMER,
        },
        "train_trans": {
            "trans_seq": ["random_hflip", "random_rotate", "gaussian_blur", *TIAUG, "random_resize", "random_crop"],
            "random_hflip": {"ratio": 0.5},
            "random_vflip": {"ratio": 0.5},
            "random_rotate": {"ratio": 1.0, "low_limit_angle": 0, "high_limit_angle": 360},
            "gaussian_blur": {"ratio": 0.5, "blur_sigma_max": 1.2},
            "thermal_noise": {"ratio": 0.5, "max_noise_equivalent_differential_temperature": 0.1},
            "random_thermal_occlusion": {
                "ratio": 0.5,
                "max_noise_equivalent_differential_temperature": 0.1,
            },
            "random_resize": {
                "ratio": 1.0,
                "method": "random",
                "scale_range": [0.5, 2.0],
                "aspect_range": [0.9, 1.1],
            },
            "random_crop": {
                "ratio": 1.0,
                "crop_size": [320, 256],
                "method": "center",
                "allow_outside_center": False,
            },
        },
        "val_trans": {"trans_seq": []},
        "normalize": {"norm_mode": 2},
        "checkpoints": {
            "checkpoints_name": "fs_unet_thermal",
            "checkpoints_dir": "./checkpoints/thermalFaceDB",
            "save_iters": 1000,
        },
        "network": {
            "model_name": model,
            "backbone": backbone,
            "bn_type": "torchsyncbn",
            "stride": 8,
            "factors": [[8, 8]],
            "multi_grid": [1, 1, 1],
            "loss_weights": {"corr_loss": 0.01, "aux_loss": 0.4, "seg_loss": 1.0},
        },
        "critic": {"model_name": critic},
        "logging": {
            "logfile_level": "info",
            "stdout_level": "info",
            "log_file": "./log/thermalFaceDB/unet.log",
            "log_format": "%(asctime)s %(levelname)-7s %(message)s",
            "rewrite": True,
        },
        "lr": {
            "base_lr": 0.01,
            "metric": "iters",
            "lr_policy": "lambda_poly",
            "step": {"gamma": 0.5, "step_size": 100},
        },
        "solver": {"display_iter": 10, "test_interval": 1000, "max_iters": 40000},
        "optim": {
            "optim_method": "sgd",
            "adam": {"betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0.0001},
            "adamw": {"betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0.0001},
            "sgd": {"weight_decay": 0.0005, "momentum": 0.9, "nesterov": False},
        },
        "loss": {"loss_type": loss, "critic_loss_type": critic_loss, "params": {**RMI, **CE, **DICE}},
        "details": {"color_list": [[0, 0, 0], [128, 128, 0]]},
    }
    if gcl:
        tree["gcl"] = GCL
    if contrast:
        tree["contrast"] = CONTRAST
    return deepcopy(tree)


def cityscapes() -> dict[str, Any]:
    """A config of colour images, 19 classes and many scales, as one of the published ones is."""
    tree = published("base_ocnet", "deepbase_resnet101_dilated8", "fs_auxce_loss")
    tree["data"] = {"image_tool": "cv2", "input_mode": "BGR", "num_classes": 19, "data_dir": "/c", "workers": 0}
    tree["normalize"] = {
        "div_value": 1.0,
        "mean_value": [103, 116, 123],
        "mean": [102.9801, 115.9465, 122.7717],
        "std": [1.0, 1.0, 1.0],
    }
    tree["loss"]["params"] = {"ce_reduction": "elementwise_mean", "ce_ignore_index": -1}
    tree["train"]["data_transformer"]["input_size"] = [769, 769]
    tree["train_trans"] = {
        "trans_seq": ["random_resize", "random_crop", "random_hflip", "random_brightness"],
        "random_brightness": {"ratio": 1.0, "shift_value": 10},
        "random_hflip": {"ratio": 0.5, "swap_pair": []},
        "random_resize": {"scale_range": [0.25, 2.0], "aspect_range": [0.8, 1.2]},
        "random_crop": {"crop_size": [769, 769], "method": "random"},
    }
    for section in ("val", "test"):
        tree[section] = {"batch_size": 4, "mode": "ms_test", "scale_search": [0.5, 1.0, 2.0]}
        tree[section]["out_dir"] = "/results"
        tree[section]["data_transformer"] = {**TRANSFORMER, "input_size": [2048, 1024]}
    return tree


STUFF_IDS = [value for value in range(183) if value not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)]
"""Values of COCO-Stuff's labels, 0 = unlabelled."""


def benchmark(name: str) -> dict[str, Any]:
    """A config as openseg.pytorch has them for one of its five benchmarks: BGR pictures, statistics of RGB."""
    tree = cityscapes()
    tree["dataset"] = name
    tree["normalize"] = {"div_value": 255.0, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    tree["normalize"]["mean_value"] = tree["normalize"]["mean"]
    tree["data"] |= {"label_list": [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33], "pred_dt_offset": True}
    tree["loss"]["params"] |= {"weight_": [1.0] * 19, "ohem_minkeep": 100000, "ohem_thresh": 0.9}
    tree["lr"]["warm"] = {"warm_iters": 1000, "freeze_backbone": False}
    if name == "cityscapes":
        return tree
    count, labels = {
        "ade20k": (150, {"reduce_zero_label": True}),
        "lip": (20, {"reduce_zero_label": False}),
        "pascal_context": (59, {"reduce_zero_label": True}),
        "coco_stuff": (171, {"reduce_zero_label": True, "label_list": STUFF_IDS}),
    }[name]
    tree["data"] = {"image_tool": "cv2", "input_mode": "BGR", "num_classes": count, "data_dir": "~/d", **labels}
    side = [473, 473] if name == "lip" else [520, 520]
    resize = {"target_size": side} if name == "lip" else {"min_side_length": 520}
    diverse = {"size_mode": "diverse_size", "align_method": "only_pad", "fit_stride": 8, "pad_mode": "pad_right_down"}
    tree["train"]["data_transformer"] |= {"input_size": side, "fit_stride": 8}
    tree["train_trans"] |= {
        "trans_seq": ["random_hflip", "resize", "random_resize", "random_crop", "random_brightness"],
        "resize": resize,
        "random_rotate": {"ratio": 1.0, "rotate_degree": 10},
        "random_crop": {"ratio": 1.0, "crop_size": side, "method": "random", "allow_outside_center": False},
    }
    tree["val_trans"] = {"trans_seq": ["resize"], "resize": resize, "random_crop": {"crop_size": side}}
    tree["val"] = {"batch_size": 4, "mode": "ss_test", "data_transformer": diverse}
    tree["test"] = {"mode": "ss_test", "scale_search": [0.5, 1, 2], "data_transformer": diverse}
    if name == "lip":
        tree["test"] |= {"min_side_length": 473, "max_side_length": 846}
        tree["train_trans"]["random_hflip"]["swap_pair"] = [[14, 15], [16, 17], [18, 19]]
    # Only Cityscapes' config names class weights, and LIP's alone a network of stride 16.
    del tree["loss"]["params"]["weight_"]
    network = {"model_name": "asp_ocnet", "backbone": f"deepbase_resnet101_dilated{16 if name == 'lip' else 8}"}
    tree["network"] |= network
    return tree


NETWORKS = [
    ("unet", "none"),
    ("attention_unet", "none"),
    ("deeplab_v3", "xception_8"),
    ("deeplab_v3", "xception_16"),
    ("deeplab_v3", "resnet101_dilated8"),
    ("hrnet_w48", "deepbase_resnet101_dilated8"),
    ("base_ocnet", "deepbase_resnet101_dilated8"),
]
CONTRAST_NETWORKS = [
    ("unet_contrast", "none"),
    ("attention_unet_contrast", "none"),
    ("deeplab_v3_contrast", "resnet101_dilated8"),
]
MEMORY_NETWORKS = [
    ("unet_contrast_mem", "none"),
    ("attention_unet_contrast_mem", "none"),
    ("hrnet_w48_mem", "deepbase_resnet101_dilated8"),
]
