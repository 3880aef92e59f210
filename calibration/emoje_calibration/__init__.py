"""Observers, the quantisation spec and calibration recipes."""
