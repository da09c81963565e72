"""What every room needs and that needs no room: configuration, files, errors, devices, checkpoints, logging."""
