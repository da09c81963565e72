"""One small registry: names in configs stand for builders in code."""

import difflib
from collections.abc import Callable
from typing import Any

from lib.utils.errors import ConfigError


class Registry:
    """Maps names that users write in configs to builders, with facts about each that configs are checked against.

    A builder is registered once, under one name or several.

    >>> networks = Registry("network")
    >>> @networks.register("unet", provides=("embedding",))
    ... def build_unet(channels):
    ...     return f"UNET of {channels} channels"
    >>> networks.get("unet")(64), networks.facts("unet")
    ('UNET of 64 channels', {'provides': ('embedding',)})
    >>> networks.get("unt")
    Traceback (most recent call last):
    ...
    lib.utils.errors.ConfigError: unknown network 'unt', did you mean unet? Valid names: unet

    Args:
        kind: what the names stand for, used in messages ("network", "loss").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._builders: dict[str, Callable] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def register(self, *names: str, **facts: Any) -> Callable[[Callable], Callable]:
        """Decorate a builder with its config names and facts such as ``provides=("embedding",)``.

        Raises:
            ValueError: a name is taken.
        """

        def decorate(builder: Callable) -> Callable:
            for name in names:
                if name in self._builders:
                    raise ValueError(f"{self.kind} {name!r} is registered twice: {self._builders[name]} and {builder}")
                self._builders[name] = builder
                self._facts[name] = facts
            return builder

        return decorate

    def get(self, name: str) -> Callable:
        """The builder of ``name``.

        Raises:
            ConfigError: no such name; the message lists the valid ones.
        """
        self._check(name)
        return self._builders[name]

    def facts(self, name: str) -> dict[str, Any]:
        """What was said of ``name`` when it was registered; raises as :meth:`get`."""
        self._check(name)
        return self._facts[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._builders)

    def _check(self, name: str) -> None:
        if name not in self._builders:
            nearest = difflib.get_close_matches(name, self.names(), n=1)
            hint = f", did you mean {nearest[0]}?" if nearest else ""
            raise ConfigError(f"unknown {self.kind} {name!r}{hint} Valid names: {', '.join(self.names())}")
