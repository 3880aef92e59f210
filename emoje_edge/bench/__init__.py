"""Latency, memory and throughput on this device: what `emoje-edge bench` measures and writes."""
