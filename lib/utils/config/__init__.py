"""Configs: read, inherit, check and resolve."""

from lib.utils.config.checkpointed import load_run_config
from lib.utils.config.faults import Fault, did_you_mean
from lib.utils.config.load import load_config, value_for
from lib.utils.config.published import current_spelling
from lib.utils.config.schema import Config

__all__ = ["Config", "Fault", "current_spelling", "did_you_mean", "load_config", "load_run_config", "value_for"]
