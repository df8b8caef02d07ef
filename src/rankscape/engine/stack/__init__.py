"""Gradient descent on measurements too large for the cache: one pass over the operators serves eight runs."""
