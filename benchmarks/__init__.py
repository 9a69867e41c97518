"""Synth beside its peers: the same images, the same measures, one process a run.

``python -m benchmarks.fill`` and ``python -m benchmarks.nnf`` from the root of the repository.
"""
