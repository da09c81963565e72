"""ThermalImagesDataset: drivers in front of a thermal camera, with 54 landmarks for most of their frames.

M. Knapik, B. Cyganek, T. Balon: Multimodal Driver Condition Monitoring System Operating in the Far-Infrared Spectrum,
Electronics 13(17), 3502, 2024. For academic and research use only.
"""
