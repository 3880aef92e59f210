"""Observers, the quantization spec and calibration recipes."""
