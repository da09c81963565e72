"""Numbers as readers see them."""

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""Stands for a score that isn't defined."""


def percent(value: float | None) -> str:
    """A share in [0, 1] as ``81.23``."""
    return NONE if value is None else f"{100 * value:.2f}"


def pixels(value: float | None) -> str:
    """A distance as ``3.14``."""
    return NONE if value is None else f"{value:.2f}"


def signed(value: float | None, digits: int = 2) -> str:
    """A difference as ``+1.20`` or ``-1.20`` with a true minus sign; what rounds to nothing has no sign.

    >>> signed(1.2), signed(0.001)
    ('+1.20', '0.00')
    """
    if value is None:
        return NONE
    text = f"{value:+.{digits}f}"
    return text[1:] if not text.strip("+-0.") else text.replace("-", MINUS)


def whole(value: int) -> str:
    """``12 345``, with narrow spaces."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
