"""What a run shows: a table that interruptions leave no trace in, and pictures for TensorBoard within bounds."""

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lib.metrics.history import History, read_history
from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from segmentor.training.summary import TensorBoardSummary


def train(config):
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.run()
    return trainer


def test_the_table_holds_all_that_was_measured(make_config):
    trainer = train(make_config("gcl.loss_weight=2"))
    rows = read_history(trainer.checkpoints.sibling_path("history.csv"))
    header = trainer.checkpoints.sibling_path("history.csv").read_text().splitlines()[0]
    assert header == "iteration,kind,name,value"
    losses = {(iteration, name) for iteration, kind, name, _ in rows if kind == "loss"}
    assert losses == {(i, name) for i in (2, 4, 6) for name in ("seg_loss", "samcl_loss", "total")}
    validations = [(iteration, name) for iteration, kind, name, _ in rows if kind == "validation"]
    assert validations == [(3, "miou"), (3, "loss"), (6, "miou"), (6, "loss")]
    assert {name for _, kind, name, _ in rows if kind == "iou"} == {"room", "disc", "square"}
    assert max(value for _, kind, name, value in rows if (kind, name) == ("validation", "miou")) == trainer.best["miou"]


def test_rows_after_the_resumed_iteration_and_half_rows_are_dropped(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path, 0)
    for iteration in (1, 2, 3):
        history.append(iteration, "loss", {"seg_loss": iteration / 7, "absent": None})
    path.write_text(path.read_text() + "4,loss,seg_l")
    History(path, 2).append(3, "iou", {"a name, with a comma": 0.5})
    assert read_history(path) == [
        (1, "loss", "seg_loss", 1 / 7),
        (2, "loss", "seg_loss", 2 / 7),
        (3, "iou", "a name, with a comma", 0.5),
    ]
    History(path, 0)
    assert path.read_text() == "iteration,kind,name,value\n"


def test_a_run_under_a_new_name_begins_its_own_table(tmp_path):
    History(tmp_path / "history.csv", 5).append(6, "loss", {"seg_loss": 1.0})
    assert len(read_history(tmp_path / "history.csv")) == 1


def events_of(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    return events


def test_tensorboard_shows_training_frames_and_input_truth_and_prediction(make_config, tmp_path):
    train(make_config("logging.log_to_file=y", f"logging.log_file={tmp_path}/train.log"))
    events = events_of(tmp_path / "tensorboard" / "run")
    tags = events.Tags()
    assert {f"training/{number}" for number in range(4)} <= set(tags["images"])
    assert {"loss/seg_loss", "loss/total", "validation/miou", "validation/loss", "iou/disc"} <= set(tags["scalars"])
    first = events.Images("training/0")[0]
    assert first.step == 1
    validation = next(tag for tag in tags["images"] if tag.startswith("validation/"))
    pictures = events.Images(validation)
    assert [picture.step for picture in pictures] == [3, 6]
    assert pictures[0].width == 3 * first.width
    assert pictures[0].height == first.height


def test_tensorboard_ends_at_its_bound_and_says_so_once(tmp_path, project_log):
    board = TensorBoardSummary(tmp_path, 0, max_mb=1)
    picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    for iteration in range(40):
        board.picture("noise", picture, iteration)
        board.scalars(iteration, {"loss": 1.0})
        if board._writer:
            board._writer.flush()
    board.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1.5e6
    assert [record.getMessage() for record in project_log.records] == [
        f"TensorBoard ends here, and the run goes on: {tmp_path} has reached logging.max_mb (1)"
    ]
