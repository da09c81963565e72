"""Readers of single formats: what the file says, at the depth and in the direction it was stored with."""
