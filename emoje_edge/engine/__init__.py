"""Engines: one verified, self-describing folder a modality mask, built once and run without torch."""

from emoje_edge.engine.interface import Session
from emoje_edge.engine.manifest import Manifest
from emoje_edge.engine.session import open_engine

__all__ = ["Manifest", "Session", "open_engine"]
