"""Feature extractors: they return several feature maps, finest first, and name their widths ``channels``."""
