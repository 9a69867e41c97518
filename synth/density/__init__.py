"""Densities over rows of numbers: kernels and mixtures."""
