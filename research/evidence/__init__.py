"""Experiments on real data: do the paper's claims hold here?  `python -m research.evidence`."""
