"""Subtitle cues as utterances: which file belongs to a video, its characters, its times, who speaks, and what is said.

    source -> found -> encoding -> timed (SRT, WebVTT), ass, transcripts (Whisper) -> rolling -> speakers, spoken

Only what is spoken comes out: "[music]", "♪ … ♪", signs and karaoke do not.
"""

from emoje_edge.perception.cues.found import sidecar
from emoje_edge.perception.cues.read import embedded_cues, read_cues
from emoje_edge.perception.cues.source import cues_of

__all__ = ["cues_of", "embedded_cues", "read_cues", "sidecar"]
