"""The errors that a user can cause and mend; their messages say what was expected, what came, where, and the remedy."""


class ConfigError(ValueError):
    """A config file, a flag or a ``section.key`` pair that can't be used."""


class DataError(ValueError):
    """A frame, label, landmark file or data folder that can't be used."""


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged or doesn't fit the network."""
