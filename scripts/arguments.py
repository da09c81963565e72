"""Types of command-line arguments, for ``argparse``'s ``type=``."""

import argparse


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return int(text)


def switch(text: str) -> bool:
    """y or n, spelt out or not."""
    if text.lower() not in ("y", "n", "yes", "no", "true", "false"):
        raise argparse.ArgumentTypeError(f"expected y or n, got {text!r}")
    return text.lower() in ("y", "yes", "true")
