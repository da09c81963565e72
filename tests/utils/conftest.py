"""Fixtures of the tests in this folder."""

from tests.small_disk import remount, small_disk

__all__ = ["remount", "small_disk"]
