"""Experiments on real data: do the paper's claims hold here?  `python -m emoje_edge.training.evidence`."""
