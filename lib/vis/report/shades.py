"""Shades from the page's ground to its accent in light and dark, each with a text colour that can be read on it."""

STEPS = 20
_LIGHT = ("#ffffff", "#0b4f94")
_DARK = ("#161b22", "#79c0ff")


def shade_css() -> str:
    """CSS classes ``s0`` to ``s20`` for the rects and texts of a picture, for both colour schemes."""
    return f"{_rules(*_LIGHT)}@media(prefers-color-scheme:dark){{{_rules(*_DARK)}}}"


def shade_class(share: float) -> str:
    """The class for a share in [0, 1]; the faintest but one for anything above none."""
    step = round(share * STEPS)
    return f"s{max(step, 1) if share > 0 else 0}"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def shades(ground: str, accent: str) -> list[tuple[str, str]]:
    """Colour of each step, and black or white, whichever has the larger contrast to it (at least 4.58)."""
    colours = [_mix(ground, accent, step / STEPS) for step in range(STEPS + 1)]
    return [(colour, max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))) for colour in colours]


def _rules(ground: str, accent: str) -> str:
    return "".join(
        f"rect.s{step}{{fill:{colour}}}text.s{step}{{fill:{text}}}"
        for step, (colour, text) in enumerate(shades(ground, accent))
    )


def _channels(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _mix(one: str, other: str, share: float) -> str:
    mixed = (a + (b - a) * share for a, b in zip(_channels(one), _channels(other), strict=True))
    return "#{:02x}{:02x}{:02x}".format(*(round(value) for value in mixed))


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
