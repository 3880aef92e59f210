"""What training remembers of each speaker, so that the network learns to hear a voice against its own baseline.

Each utterance is given the descriptors of 0 to 20 others of its speaker, drawn anew every time: a sum and a number, as
the engines get them of a conversation's past.  They are those that the network had when it last met these utterances.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from emoje_edge.training.batching import Batch

MOST = 20


class SpeakerHistories:
    """Descriptors by speaker and utterance.

    Args:
        most: past utterances at most.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._known: dict[str, dict[str, Tensor]] = defaultdict(dict)

    def with_random_history(self, batch: Batch, width: int, generator: np.random.Generator) -> Batch:
        """The batch with a past of 0 to `most` utterances for each of its own: `voice` [N, width + 1]."""
        return self.with_history(batch, width, None, generator)

    def with_history(self, batch: Batch, width: int, count: int | None, generator: np.random.Generator) -> Batch:
        """The same with a past of `count` utterances, as far as so many are known."""
        voice = torch.zeros(len(batch.samples), width + 1)
        for row, sample in zip(voice, batch.samples, strict=True):
            wanted = int(generator.integers(self.most + 1)) if count is None else count
            known = self._known[sample.speaker] if sample.speaker else {}
            others = [uid for uid in known if uid != sample.uid]
            chosen = generator.permutation(len(others))[:wanted]
            if len(chosen):
                row[:-1] = torch.stack([known[others[i]] for i in chosen]).sum(0)
                row[-1] = len(chosen)
        return replace(batch, voice=voice.to(batch.labels.device))

    def remember(self, batch: Batch, voice: Tensor) -> None:
        """Remember what was heard: `voice` [N, width + 1] is the one after these utterances."""
        assert batch.voice is not None
        heard = (voice.detach().float() - batch.voice).cpu()
        for sample, row in zip(batch.samples, heard, strict=True):
            if sample.speaker and row[-1] > 0.5:
                self._known[sample.speaker][sample.uid] = row[:-1].clone()
