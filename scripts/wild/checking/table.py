"""The scores as a table to read."""

_COLUMNS = (
    ("frames", "frames", False),
    (">=90 % inside", "good", True),
    ("strict", "good_strict", True),
    ("median inside", "median_inside", True),
    ("faces", "faces", False),
    ("found", "found", True),
    ("false alarms", "false_alarms", True),
)
_WIDTH = 31
NOTE = (
    "Of frames with a face: share with >= 90 % of the facial pixels in face boxes that are 10 % larger on each side\n"
    "(strict: in the boxes themselves), and the median of that share of pixels. Found: share of the faces whose box\n"
    "is facial pixels for at least 20 %. False alarms: share of the frames without a face of which more than 0.2 %\n"
    "is called face."
)


def format_table(result: dict) -> str:
    """Lines of :func:`scripts.wild.checking.scoring.as_json`: per condition, then of all frames."""
    head = " " * _WIDTH + "".join(f"{title:>15}" for title, _, _ in _COLUMNS)
    lines = [head]
    for name, values in result["conditions"].items():
        lines.append(name)
        lines += [_line(f"  {value}", summary) for value, summary in values.items()]
    return "\n".join([*lines, _line("all frames", result["overall"]), "", NOTE])


def _line(title: str, summary: dict) -> str:
    cells = (_cell(summary[key], is_share) for _, key, is_share in _COLUMNS)
    return f"{title:<{_WIDTH}}" + "".join(f"{cell:>15}" for cell in cells)


def _cell(value: float | None, is_share: bool) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if is_share else str(value)
