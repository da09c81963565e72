"""What all parts of the project agree on about label arrays."""

IGNORE = 255
"""Value of ignored pixels in label files and uint8 label arrays; int64 tensors say -1."""
