"""Building blocks of the framework: networks, data, losses, metrics, pictures and the utilities they share."""
