"""Distillation: one or several teachers, each for the modalities it knows, to one small student.

logits      average of the teachers' log-probabilities over those that know something of the utterance
descriptor  the teachers' fused descriptors side by side, zero where a teacher knows nothing
partial     full-mask to partial-mask, inside the student (`TrainConfig.partial`)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.objective import Targets
from emoje_edge.training.predict import Predictor
from emoje_edge.training.train_config import TrainConfig

DEFAULTS = TrainConfig(focal=0.5, soft=1.0, descriptor=0.5, partial=0.5)


def targets_of(teachers: Sequence[Predictor], corpus: Corpus) -> Targets:
    """What the teachers say of every utterance that at least one of them knows something of.

    Raises:
        UsageError: a teacher with other classes than the corpus, or none that knows anything.
    """
    for teacher in teachers:
        if teacher.classes != corpus.classes:
            raise UsageError(
                f"a teacher of {', '.join(teacher.classes)} for a corpus of {', '.join(corpus.classes)}",
                "teacher and student need the same classes: train both with the same --labels",
            )
    log_p = np.zeros((len(corpus), len(corpus.classes)))
    known = np.zeros(len(corpus))
    descriptors = []
    for teacher in teachers:
        here = np.array([any(m in teacher.mask for m in s.modalities) for s in corpus.samples])
        if not here.any():
            continue
        # dialogues whole, so that a teacher with context has it; only the rows it knows count
        p = teacher.predict(corpus)
        log_p += np.log(np.maximum(p.probabilities, 1e-8)) * here[:, None]
        known += here
        if p.fused is not None:
            descriptors.append(p.fused * here[:, None])
    if not known.any():
        masks = " and ".join(str(t.mask) for t in teachers)
        raise UsageError(f"{corpus.name} brings nothing of {masks}", "take a teacher of the corpus' modalities")
    rows = np.flatnonzero(known)
    logits = log_p[rows] / known[rows, None]
    fused = np.concatenate(descriptors, 1)[rows].astype(np.float32) if descriptors else None
    return Targets(
        {corpus.samples[r].uid: i for i, r in enumerate(rows)},
        torch.from_numpy(logits.astype(np.float32)),
        None if fused is None else torch.from_numpy(fused),
    )


def settings(config: TrainConfig, mask: Mask, targets: Targets) -> TrainConfig:
    """The run's settings less the losses that have nothing to work on."""
    return replace(
        config,
        descriptor=config.descriptor if targets.descriptors is not None else 0.0,
        partial=config.partial if len(mask) > 1 else 0.0,
    )
