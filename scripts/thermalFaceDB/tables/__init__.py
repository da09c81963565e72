"""Tables of learning strategies against networks: what to run, running it, statistics over seeds, writing them."""
