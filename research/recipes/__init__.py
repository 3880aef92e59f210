"""Recorded recipes: each file trains one thing that ships or that the evidence compares with."""
