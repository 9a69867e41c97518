"""Numba kernels, one file an algorithm. They know nothing of synth: arrays in, arrays out."""
