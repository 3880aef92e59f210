"""Recipes and evidence, run from a checkout: `python -m research.recipes.…`, `python -m research.evidence …`.

Not part of the wheel, and the product never imports it: what ships lives in `emoje_edge.training`.
"""
