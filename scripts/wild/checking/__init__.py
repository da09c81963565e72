"""Checks of weights on frames that they did not learn from: drawn in layers here, or a user's own."""
