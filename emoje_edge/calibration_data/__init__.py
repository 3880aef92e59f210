"""Calibration sets: where the utterances come from that engines are calibrated and checked on."""
