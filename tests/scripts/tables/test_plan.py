"""Every cell's config resolves to what its row and column say; cells differ in nothing else."""

import itertools
import json

import pytest

from lib.utils.config import load_config
from scripts.thermalFaceDB.tables.plan import NETWORKS, STRATEGIES, TABLES, Cell, cell_config, table_cells
from segmentor.checking.names import check_names


@pytest.fixture
def resolve(tmp_path):
    def resolve(cell, max_iters=40000):
        path = tmp_path / "cell.json"
        path.write_text(json.dumps(cell_config(cell, max_iters)))
        return load_config(path, checks=[check_names])

    return resolve


@pytest.mark.parametrize(("network", "strategy"), [*itertools.product(NETWORKS, STRATEGIES)])
def test_every_cell_is_a_config_without_faults_and_remarks(resolve, network, strategy):
    config, notes = resolve(Cell(network, strategy, seed=5))
    assert not notes
    assert config.seed == 5
    assert ("random_thermal_occlusion" in config.train_trans.trans_seq) == (strategy != "rmi_without_tiaug")
    assert (config.samcl is not None) == strategy.startswith("samcl")
    assert (config.pixel_contrast is not None) == strategy.startswith("contrast")


@pytest.mark.parametrize(
    ("strategy", "loss"),
    [
        ("rmi", "rmi_loss"),
        ("bce", "bce_loss"),
        ("dice", "dice_loss"),
        ("segan", "segan_loss"),
        ("seggan", "seggan_loss"),
        ("rmi_dice", "rmi_dice_loss"),
        ("contrast", "rmi_loss"),
        ("samcl", "rmi_loss"),
    ],
)
def test_rows_train_their_loss(resolve, strategy, loss):
    assert resolve(Cell("U", strategy, 0))[0].loss.loss_type == loss


def test_samcl_rows_differ_in_mode_and_have_its_weight(resolve):
    found = {name: resolve(Cell("AU", name, 0))[0].samcl for name in STRATEGIES if name.startswith("samcl")}
    assert {name: (gcl.mode, gcl.loss_weight) for name, gcl in found.items()} == {
        "samcl": ("overlap", 2.0),
        "samcl_paper": ("paper", 0.5),
        "samcl_published": ("published", 0.5),
    }


@pytest.mark.parametrize(("network", "proj_dim", "name"), [("U", 64, "unet"), ("R101_8", 256, "deeplab_v3")])
def test_contrast_adds_an_embedding_and_waits_an_eighth_of_a_run_but_not_in_a_fork(resolve, network, proj_dim, name):
    config = resolve(Cell(network, "contrast", 0))[0]
    assert config.network.model_name == name
    assert (config.pixel_contrast.proj_dim, config.pixel_contrast.warmup_iters) == (proj_dim, 5000)
    assert resolve(Cell(network, "contrast", 0), max_iters=80)[0].pixel_contrast.warmup_iters == 10
    assert resolve(Cell(network, "contrast", 0, fork_iters=80))[0].pixel_contrast.warmup_iters == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_cells_share_everything_but_network_loss_and_augmentation(resolve, strategy):
    one, other = (resolve(Cell("U", name, 3))[0].model_dump() for name in (strategy, "rmi"))
    assert {key for key in one if one[key] != other[key]} <= {
        *("network", "loss", "samcl", "pixel_contrast"),
        *(["train_trans"] if strategy == "rmi_without_tiaug" else []),
    }


def test_tables_share_their_cells_and_comparisons_are_rows():
    ablation, strategies = (table_cells(TABLES[kind], {"U": [0]}) for kind in ("ablation", "strategies"))
    alone = {cell.name for cell in ablation} - {cell.name for cell in strategies}
    assert alone == {"U_rmi_without_tiaug_seed0"}
    for table in TABLES.values():
        titles = {row.title for row in table.rows}
        assert len(titles) == len(table.rows)
        assert all(set(row.compared_to) <= titles - {row.title} for row in table.rows)


def test_cells_of_a_pair_stand_together():
    cells = table_cells(TABLES["ablation"], {"U": [0, 1, 2], "AU": [0, 1]})
    rows = len(TABLES["ablation"].rows)
    assert [(cell.seed, cell.network) for cell in cells[::rows]] == [(0, "U"), (0, "AU"), (1, "U"), (1, "AU"), (2, "U")]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_fork_goes_on_under_the_transforms_of_its_baseline(resolve, strategy):
    """Else a row would have had 700 iterations of what its title says it does without."""
    fork = Cell("U", strategy, 0, fork_iters=60)
    assert fork.baseline is not None
    of_fork, of_baseline = (resolve(cell, 700)[0] for cell in (fork, fork.baseline))
    assert of_fork.train_trans == of_baseline.train_trans
    assert of_baseline.loss.loss_type == "rmi_loss"


def test_forks_from_a_baseline_of_other_transforms_are_not_taken_for_todays():
    assert Cell("U", "rmi_without_tiaug", 0, 60).name != "U_rmi_without_tiaug_seed0_fork60"
    assert Cell("U", "rmi_without_tiaug", 0).name == "U_rmi_without_tiaug_seed0"


def test_forks_have_one_baseline_per_network_and_seed_and_names_of_their_own():
    cells = table_cells(TABLES["strategies"], {"U": [0, 1], "AU": [0, 1]}, fork_iters=7)
    assert len({cell.baseline for cell in cells}) == 4
    assert all(cell.baseline.fork_iters is None and cell.kind == "latest" for cell in cells)
    assert Cell("U", "rmi", 1, 7).baseline == Cell("U", "rmi", 1)
    assert Cell("U", "rmi", 1).baseline is None
    assert len({cell.name for cell in [*cells, *(cell.baseline for cell in cells)]}) == len(cells) + 4
