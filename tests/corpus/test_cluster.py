"""Ray Data on this machine's own cluster: the same parts, the same bytes as the local pool."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emoje_edge.corpus.ledger import Ledger
from emoje_edge.corpus.local import label_locally
from emoje_edge.corpus.merge import merge
from emoje_edge.corpus.recordings import in_folder
from emoje_edge.emotion import EMOTIONS
from tests.corpus.conftest import WORDS


def test_ray_gives_the_bytes_of_the_local_pool(clips: Path, ledger: Callable[[str], Ledger]) -> None:
    pytest.importorskip("ray.data", reason="Ray is not installed (the cluster extra)")
    from emoje_edge.corpus.cluster import label_on_ray

    (clips / "broken.mp4").write_bytes(b"no video at all")
    recordings = in_folder(clips)
    here, there = ledger("local.csv"), ledger("ray.csv")
    for kept in (here, there):
        kept.write_plan(recordings)
    ours = list(label_locally(recordings, WORDS, here, workers=1))
    theirs = list(label_on_ray(recordings, WORDS, there, address="local", workers=1))
    assert sorted(o.recording for o in theirs) == sorted(o.recording for o in ours)
    assert {o.recording: o.kind for o in theirs if o.kind} == {"broken.mp4": "broken"}
    outs = []
    for kept in (here, there):
        out = kept.folder.with_suffix("")
        assert merge(kept.parts(recordings), out, EMOTIONS, kept.description) == 5
        outs.append(out.read_bytes())
    assert outs[0] == outs[1]
