"""The errors that a user can cause and mend; their messages say what was expected, what came, where, and the remedy."""


class ConfigError(ValueError):
    """A config file, a flag or a ``section.key`` pair that can't be used."""


class DataError(ValueError):
    """A frame, label, landmark file or data folder that can't be used."""


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged or doesn't fit the network."""


class OutputError(OSError):
    """A file that can't be written: a full or read-only disk, a folder that has vanished."""


class Interrupted(Exception):
    """A signal asked the run to stop, and it did so in good order.

    Args:
        message: what was saved.
        signum: number of the signal.
    """

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signum = signum
