"""The first sixty mutants of the nightly campaign: none may be a traceback, a hang, a crash or a wrong success."""

from __future__ import annotations

from pathlib import Path

from tests.attacks.campaign import BAD, KINDS, campaign


def test_sixty_mutants(tmp_path: Path) -> None:
    found = list(campaign(range(60), seed=1, jobs=1, scratch=tmp_path))
    assert [finding for finding in found if finding[2] in BAD] == []
    assert {kind for _, kind, _, _ in found} == set(KINDS)
    assert {"read", "refused"} <= {outcome for _, _, outcome, _ in found}
