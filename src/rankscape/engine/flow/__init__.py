"""Gradient flow: closed forms where there are some, else a solver that walks a grid of its own."""
