"""Samples: the Thermal Face Database (prepare, synthesise, read), transforms (TiAug), and loaders."""
