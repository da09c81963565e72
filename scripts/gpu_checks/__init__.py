"""The GPU check: whether a device computes as the CPU does, and what its steps cost."""
