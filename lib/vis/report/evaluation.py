"""The report of one test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.vis.report.confusion import confusion_picture
from lib.vis.report.curves import Curve, line_chart
from lib.vis.report.gallery import Example, class_legend, error_legend, example_figure
from lib.vis.report.html import Html, frame_link, join, tag
from lib.vis.report.numbers import percent, pixels, whole
from lib.vis.report.page import PageSection, page
from lib.vis.report.tables import Column, facts, filtered_table, table

SCORES = (
    Column("IoU %", "intersection over union, of all pixels of the set"),
    Column("Dice %", "2 x intersection / (truth + prediction)"),
    Column("Precision %", "share of the predicted pixels that are right"),
    Column("Recall %", "share of the true pixels that are found"),
    Column("Boundary F1 %", "agreement of outlines within the tolerance, mean over frames"),
    Column("HD95 px", "95 % Hausdorff distance in pixels, mean over frames; smaller is better"),
    Column("HD95 frames", "frames with this class in both truth and prediction"),
)
MOST_CLASSES = 40
"""Classes up to which there is a confusion matrix, and a column each in the table of frames."""
MOST_CURVES = 16
"""Curves up to which a chart shows more than the mean."""


@dataclass(frozen=True)
class EvaluationReport:
    """What a report shows.

    Attributes:
        metrics: content of ``metrics.json``.
        rows: of ``frames.csv``.
        palette: (C, 3) uint8.
        examples: frames to show, by heading.
        curves: of the training, by title, then by name.
        config: the resolved one, as YAML.
    """

    metrics: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    palette: np.ndarray
    examples: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    config: str = ""


def evaluation_page(report: EvaluationReport) -> str:
    """The report as an HTML document; links to pictures are relative to the folder of ``metrics.json``."""
    metrics = report.metrics
    names = [entry["name"] for entry in metrics["classes"]]
    checkpoint = str(metrics["checkpoint"]).replace("\\", "/").rpartition("/")[2]
    augmented = "" if metrics["val_aug"] == "none" else f", augmented ({metrics['val_aug']})"
    return page(
        f"Evaluation of {checkpoint}",
        f"{whole(metrics['images'])} frames of {metrics['data']}{augmented}",
        [
            PageSection("scores", "Scores", _headline(metrics)),
            PageSection("classes", "Classes", _classes(metrics)),
            PageSection("confusion", "Confusion matrix", _confusion(metrics, names)),
            PageSection("curves", "Learning curves", _curves(report.curves)),
            PageSection("examples", "Best, median and worst frames", _examples(report, names)),
            PageSection("frames", "All frames", _frames(report.rows, names)),
            PageSection("run", "Config and environment", _run(metrics, report.config)),
        ],
    )


def tile(value: str, title: str, remark: str) -> Html:
    """A number to see first."""
    return tag("div", tag("b", value), tag("span", title), tag("small", remark), class_="tile")


def _headline(metrics: Mapping[str, Any]) -> Html:
    count, there = len(metrics["classes"]), sum(entry["hd95"] is not None for entry in metrics["classes"])
    measured = "classes" if there == count else f"{there} of {count} classes"
    tiles = (
        tile(f"{percent(metrics['miou'])} %", "mean IoU", f"± {percent(metrics['std_iou'])} over classes"),
        tile(f"{percent(metrics['pixel_accuracy'])} %", "pixel accuracy", "of all labelled pixels"),
        tile(f"{percent(metrics['boundary_f1'])} %", "boundary F1", "mean over classes"),
        tile(f"{pixels(metrics['hd95'])} px", "HD95, smaller is better", f"mean over {measured}"),
        tile(whole(metrics["images"]), "frames", f"{metrics['frames_per_second']:.1f} per second"),
    )
    return tag("div", *tiles, class_="tiles")


def _classes(metrics: Mapping[str, Any]) -> Html:
    rows = []
    for entry in metrics["classes"]:
        share = 100 * (entry["iou"] or 0)
        bar = tag("span", tag("i", style=f"width:{share:.1f}%"), class_="bar", aria_hidden="true")
        others = [percent(entry[score]) for score in ("dice", "precision", "recall", "boundary_f1")]
        distance = [pixels(entry["hd95"]), whole(entry["hd95_frames"])]
        rows.append(
            [entry["name"], join([bar, tag("span", percent(entry["iou"]), class_="score")]), *others, *distance]
        )
    tolerance = 100 * metrics["boundary_tolerance"]
    return join(
        [
            table([Column("Class", numbers=False), *SCORES], rows, "Scores by class"),
            tag(
                "p",
                "IoU, Dice, precision and recall count the pixels of all frames together. Boundary F1 (within "
                f"{tolerance:g}\N{NO-BREAK SPACE}% of the frame's diagonal) and the 95\N{NO-BREAK SPACE}% Hausdorff "
                "distance are means over the frames where they are defined: a class that a frame's truth or prediction "
                "lacks has a boundary F1 of 0 there and no distance.",
                class_="note",
            ),
        ]
    )


def _confusion(metrics: Mapping[str, Any], names: Sequence[str]) -> Html:
    if len(names) > MOST_CLASSES:
        return tag(
            "p", f"Of {len(names)} classes: see confusion_matrix in ", tag("a", "metrics.json", href="metrics.json")
        )
    note = "Percent of the pixels of each true class; every row adds up to 100."
    picture = tag("div", confusion_picture(metrics["confusion_matrix"], names), class_="wide-picture")
    return join([picture, tag("p", note, class_="note")])


def _curves(curves: Mapping[str, Mapping[str, Curve]]) -> Html:
    charts = [
        line_chart(title, {name: curve for name, curve in named.items() if len(named) <= MOST_CURVES or name == "mean"})
        for title, named in curves.items()
    ]
    return tag("div", *charts, class_="charts") if any(charts) else Html()


def _examples(report: EvaluationReport, names: Sequence[str]) -> Html:
    groups = []
    for place, (heading, examples) in enumerate(report.examples.items()):
        figures = [
            example_figure(example, f"x{place}n{number}", frame_link(example.name), report.palette)
            for number, example in enumerate(examples)
        ]
        groups.append(tag("div", tag("h3", heading), *figures, class_="group"))
    if not groups:
        return Html()
    note = tag("p", "By the mean IoU over the classes of the single frame.", class_="note")
    return join([note, class_legend(names, report.palette), error_legend(), *groups])


def _frames(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Html:
    names = names if len(names) <= MOST_CLASSES else ()
    columns = [
        Column("Frame", numbers=False),
        Column("mIoU %", "mean IoU over the classes in the frame's truth or prediction"),
        Column("Accuracy %", "share of the labelled pixels that are right"),
        Column("Boundary F1 %", "mean over classes"),
        Column("HD95 px", "mean over classes"),
        *(Column(f"{name} %", f"IoU of {name}") for name in names),
    ]
    cells = [
        [
            tag("a", row["frame"], href=frame_link(row["frame"])),
            *(percent(row[score]) for score in ("miou", "pixel_accuracy", "boundary_f1")),
            pixels(row["hd95"]),
            *(percent(row[f"iou_{name}"]) for name in names),
        ]
        for row in rows
    ]
    numbers = tag("a", "frames.csv", href="frames.csv")
    note = tag("p", "Names link to the pictures beside this page; ", numbers, " has all numbers.", class_="note")
    return join([note, filtered_table(columns, cells, "Scores of all frames", "mIoU at most")])


def _run(metrics: Mapping[str, Any], config: str) -> Html:
    pairs = [("checkpoint", str(metrics["checkpoint"])), ("frames", str(metrics["data"]))]
    pairs += [(name.replace("_", " "), str(value)) for name, value in metrics["environment"].items()]
    return join([facts(pairs), tag("details", tag("summary", "Resolved config"), tag("pre", config))])
