"""Runs things: one trainer, one tester, the objectives that the trainer optimises, evaluation and optimisers."""
