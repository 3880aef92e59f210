"""Voices through channels, as a program hands them over."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.evidence import heard
from research.evidence.voices import CHANNELS


def test_volume_changes_no_label_and_a_telephone_is_told(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard.main(shared_data, every=24)
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == list(CHANNELS)
    recall, changed = ({name: float(x.rstrip("%")) for name, *cells in rows for x in (cells[i],)} for i in (0, 1))
    assert changed["16 kHz"] == changed["+20 dB where it is not clipped"] == 0
    assert recall["16 kHz"] > 0.4  # a seventh by chance
