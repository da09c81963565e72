"""The report of several tests side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.vis.report.html import Html, frame_link, join, tag
from lib.vis.report.numbers import percent, pixels, signed, whole
from lib.vis.report.page import PageSection, page
from lib.vis.report.tables import Column, facts, filtered_table, table


@dataclass(frozen=True)
class Score:
    """A score that runs are compared by.

    Attributes:
        key: in ``metrics.json``.
        title: with its unit.
        factor: from the file's unit to that of the title.
        smaller_is_better: as of distances.
    """

    key: str
    title: str
    factor: float = 100.0
    smaller_is_better: bool = False


OVERALL = (
    Score("miou", "mIoU %"),
    Score("pixel_accuracy", "Accuracy %"),
    Score("boundary_f1", "Boundary F1 %"),
    Score("hd95", "HD95 px", 1.0, smaller_is_better=True),
)
BY_CLASS = (
    Score("iou", "IoU %"),
    Score("dice", "Dice %"),
    Score("precision", "Precision %"),
    Score("recall", "Recall %"),
    *OVERALL[2:],
)


@dataclass(frozen=True)
class Run:
    """A test that is compared.

    Attributes:
        name: unique among those compared.
        address: of its folder, relative to the page.
        metrics: content of its ``metrics.json``.
        frames: rows of its ``frames.csv`` by frame, numbers as such.
    """

    name: str
    address: str
    metrics: Mapping[str, Any]
    frames: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class PairedDifference:
    """The mean difference of a score to the first run over the frames that both have.

    Attributes:
        count: of frames.
        mean: difference, in the unit of the score's title.
        interval: 95 % interval of the mean; None of a single frame.
        better, worse: frames in which the run is the better or the worse of both.
    """

    count: int
    mean: float
    interval: tuple[float, float] | None
    better: int
    worse: int


@dataclass(frozen=True)
class ComparisonReport:
    """What a page shows.

    Attributes:
        runs: the first is the one compared with.
        classes: names of the classes that all have.
        paired: by run (the first is left out) and key of :data:`OVERALL`; None without a common frame.
        warnings: what speaks against comparing them.
    """

    runs: Sequence[Run]
    classes: Sequence[str]
    paired: Mapping[str, Mapping[str, PairedDifference | None]]
    warnings: Sequence[str]


def comparison_page(report: ComparisonReport) -> str:
    """The comparison as an HTML document."""
    first, *others = (run.name for run in report.runs)
    warnings = join(tag("p", text, class_="warning") for text in report.warnings)
    return page(
        "Comparison of tests",
        f"{', '.join(others)} against {first}",
        [
            PageSection("scores", "Scores", join([warnings, _overall(report)])),
            PageSection("paired", "Frame by frame", _paired(report)),
            PageSection("classes", "Classes", _classes(report)),
            PageSection("frames", "All frames", _frames(report)),
            PageSection("runs", "Runs", _runs(report.runs)),
        ],
    )


def difference(value: float | None, first: float | None, factor: float) -> float | None:
    """``value`` - ``first`` in the unit of a title; None where one of them isn't defined."""
    return None if value is None or first is None else factor * (value - first)


def _value(value: float | None, score: Score) -> str:
    return percent(value) if score.factor == 100 else pixels(value)


def _change(value: float | None, score: Score) -> Html:
    """A signed difference; a mark says better or worse to those who see no colour."""
    text = signed(value)
    if value is None or text.strip("0.") == "":
        return tag("span", text, class_="change")
    better = (value < 0) == score.smaller_is_better
    mark, said = (
        ("\N{BLACK UP-POINTING TRIANGLE}", "better")
        if better
        else (
            "\N{BLACK DOWN-POINTING TRIANGLE}",
            "worse",
        )
    )
    hidden = tag("span", mark, aria_hidden="true")
    spoken = tag("span", f" {said}", class_="unseen")
    return tag("span", text, " ", hidden, spoken, class_=f"change {'good' if better else 'bad'}")


def _with_change(value: float | None, first: float | None, score: Score, is_first: bool) -> Html:
    if is_first:
        return tag("span", _value(value, score))
    shown, change = tag("span", _value(value, score)), difference(value, first, score.factor)
    return shown if change is None else join([shown, tag("br"), _change(change, score)])


def _overall(report: ComparisonReport) -> Html:
    base = report.runs[0]
    columns = [Column("Run", numbers=False), *(Column(score.title) for score in OVERALL), Column("Frames")]
    rows = [
        [
            run.name,
            *(_with_change(run.metrics[score.key], base.metrics[score.key], score, run is base) for score in OVERALL),
            whole(run.metrics["images"]),
        ]
        for run in report.runs
    ]
    note = tag(
        "p",
        "Of all pixels of each run's frames, with differences to the first run. A triangle that points up says better.",
        class_="note",
    )
    return join([table(columns, rows, "Overall scores"), note])


def _paired(report: ComparisonReport) -> Html:
    columns = [
        Column("Run", numbers=False),
        Column("Score", numbers=False),
        Column("Mean difference"),
        Column("95 % interval"),
        Column("Better in"),
        Column("Worse in"),
        Column("Frames"),
    ]
    rows = []
    for name, scores in report.paired.items():
        for score in OVERALL:
            paired = scores[score.key]
            if paired is None:
                continue
            ends = paired.interval or (None, None)
            interval = "\N{EN DASH}" if paired.interval is None else f"{signed(ends[0])} to {signed(ends[1])}"
            counts = (whole(paired.better), whole(paired.worse), whole(paired.count))
            rows.append([name, score.title, _change(paired.mean, score), interval, *counts])
    if not rows:
        return tag("p", "The runs have no frame in common.")
    note = tag(
        "p",
        "Differences to the first run within each frame that both have (mean over the frame's classes), and Student's "
        "95 % interval of their mean. It takes frames for independent: frames of one person are alike, so the true "
        "interval is wider, and it says nothing about other training seeds.",
        class_="note",
    )
    return join([table(columns, rows, "Differences within frames"), note])


def _classes(report: ComparisonReport) -> Html:
    base = _by_class(report.runs[0])
    parts = []
    for score in BY_CLASS:
        columns = [Column("Class", numbers=False), *(Column(run.name) for run in report.runs)]
        rows = [
            [
                name,
                *(
                    _with_change(
                        _by_class(run)[name].get(score.key), base[name].get(score.key), score, run is report.runs[0]
                    )
                    for run in report.runs
                ),
            ]
            for name in report.classes
        ]
        parts.append(tag("div", tag("h3", score.title), table(columns, rows, f"{score.title} by class")))
    return tag("div", *parts, class_="charts")


def _by_class(run: Run) -> dict[str, Mapping[str, Any]]:
    return {entry["name"]: entry for entry in run.metrics["classes"]}


def _frames(report: ComparisonReport) -> Html:
    first, *others = report.runs
    names = sorted(set.intersection(*({*run.frames} for run in report.runs)))
    if not names:
        return Html()
    score = OVERALL[0]
    columns = [Column("Frame", numbers=False)]
    columns += [Column(f"{run.name} \N{MINUS SIGN} {first.name}", "difference of mIoU in points") for run in others]
    columns += [Column(f"mIoU % of {run.name}") for run in report.runs]
    rows = []
    for name in names:
        values = [run.frames[name]["miou"] for run in report.runs]
        changes = [_change(difference(value, values[0], score.factor), score) for value in values[1:]]
        links = [
            tag("a", percent(value), href=f"{run.address}/{frame_link(name)}")
            for run, value in zip(report.runs, values, strict=True)
        ]
        rows.append([name, *changes, *links])
    note = tag("p", "Of the frames that all runs have; scores link to pictures.", class_="note")
    return join([note, filtered_table(columns, rows, "mIoU of all frames", "Difference at most")])


def _runs(runs: Sequence[Run]) -> Html:
    parts = []
    for run in runs:
        pairs: list[tuple[str, str]] = [("folder", tag("a", run.address, href=f"{run.address}/report.html"))]
        pairs += [(key, str(run.metrics.get(key, "-"))) for key in ("checkpoint", "data", "val_aug", "mode")]
        environment = run.metrics.get("environment", {})
        pairs += [(key, str(environment[key])) for key in ("device", "precision", "seed", "time") if key in environment]
        parts += [tag("h3", run.name), facts(pairs)]
    return join(parts)
