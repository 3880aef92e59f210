"""The text student: trained from nothing on labels, then on what the teacher says.

    python -m research.recipes.text words DATA OUT
    python -m research.recipes.text distil DATA WORDS_RUN TARGETS OUT [seed]

`words` learns the vocabulary from all of GoEmotions and MELD; `distil` goes on with MELD's dialogues and with what
else the teachers have read (targets of `recipes.teacher`): comments, MELD's dialogues rewritten (augmentation.rewrite),
EmoryNLP's dialogues without their labels, and every word of the tokenizer by itself, so that rare words mean
something.  Context is the causal dialogue state.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import ModelConfig, TextEncoder
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.checkpoint import Run, load_weights
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import UNLABELLED, Corpus, Sample, open_dataset
from emoje_edge.training.objective import Targets
from emoje_edge.training.tokens import tokeniser
from emoje_edge.training.trainer import Materials, train
from research.augmentation.rewrite import rewritten

ENCODER = TextEncoder(vocabulary=8000, width=256, layers=2)
REWRITTEN = 4  # versions of MELD
COMMENTS = 20_000  # of GoEmotions in distillation: MELD is what counts
WORDS = TrainConfig(
    epochs=2,
    batch_utterances=64,
    learning_rate=1e-3,
    weight_decay=0.01,
    focal_gamma=0.0,
    smoothing=0.05,
    nce=0.0,
    joint=0.0,
    patience=0,
    precision="native",
    average=0.999,
    threads=1,
)
DISTIL = replace(WORDS, epochs=6, smoothing=0.0, soft=1.0, soft_temperature=2.0, descriptor=1.0)


def model(*, dropout: float = 0.2, state_width: int = 128) -> ModelConfig:
    """The text branch of the default as a network of its own."""
    return ModelConfig(text=ENCODER, audio=None, pose=None, cross_layers=0, dropout=dropout, state_width=state_width)


def corpora(root: Path) -> tuple[Corpus, Corpus, Corpus]:
    """MELD's and GoEmotions' training splits and MELD's development split."""
    meld, comments = open_dataset("meld", root / "meld"), open_dataset("goemotions", root / "goemotions")
    return meld.split("train"), comments.split("train"), meld.split("dev")


def vocabulary() -> Corpus:
    """Every whole word of the tokenizer as an unlabelled utterance."""
    from tokenizers import Tokenizer

    words = sorted(Tokenizer.from_file(str(TOKENIZER)).get_vocab())
    samples = tuple(Sample(word, 0, text=word, source=f"token {word}") for word in words if word[0].isalpha())
    return Corpus("vocabulary", EMOTIONS, samples)


def unlabelled(root: Path) -> tuple[Corpus, ...]:
    """Dialogues for the teachers to label: EmoryNLP's training scenes without their labels (its classes are others)
    and MELD's rewritten."""
    emory = open_dataset("emorynlp", root / "emorynlp", split="train")
    scenes = (replace(s, label=UNLABELLED, speaker=s.speaker.partition(" ")[0]) for s in emory.samples if s.text)
    meld = open_dataset("meld", root / "meld", split="train")
    return Corpus("emorynlp", EMOTIONS, tuple(scenes)), rewritten(meld, copies=REWRITTEN, seed=0)


def read_targets(folder: Path) -> Targets:
    """What `recipes.teacher` wrote for all corpora."""
    files = [np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npz"))]
    uids = [str(uid) for file in files for uid in file["uid"]]
    logits, descriptors = (
        torch.from_numpy(np.concatenate([file[k] for file in files])).float() for k in ("logits", "descriptors")
    )
    return Targets({uid: row for row, uid in enumerate(uids)}, logits, descriptors)


def some(corpus: Corpus, count: int) -> Corpus:
    """`count` samples at random, the same ones each time; all where there are no more."""
    order = np.random.default_rng(0).permutation(len(corpus))[:count]
    return replace(corpus, samples=tuple(corpus.samples[i] for i in order))


Lines = tuple[Corpus, Corpus, Corpus]


def heard(corpus: Corpus, targets: Targets) -> Corpus:
    """The samples that the teacher has read."""
    return corpus.keep(lambda s: f"{corpus.name}/{s.uid}" in targets.rows)


def words(lines: Lines, out: Path, config: TrainConfig = WORDS, *, resume: bool = False, quiet: bool = True) -> Run:
    """From nothing, on labels: `lines` as of `corpora`."""
    meld, comments, dev = lines
    materials = Materials(Corpus.join([meld, comments], "text"), dev, tokeniser(), TOKENIZER)
    return train(model(), config, materials, out, resume=resume, quiet=quiet)


def distil(
    lines: Lines,
    start: Path | None,
    targets: Targets,
    out: Path,
    config: TrainConfig = DISTIL,
    *,
    unlabelled: Sequence[Corpus] = (),
    resume: bool = False,
    quiet: bool = True,
) -> Run:
    """From the `words` run (or nothing) on labels and on the teacher's word."""
    meld, comments, dev = lines
    read = [heard(corpus, targets) for corpus in (some(comments, COMMENTS), *unlabelled)]
    training = Corpus.join([meld, *(corpus for corpus in read if len(corpus))], "text")
    initial = load_weights(start / "model.safetensors") if start else None
    materials = Materials(training, dev, tokeniser(), TOKENIZER, targets=targets, initial=initial)
    return train(model(), config, materials, out, resume=resume, quiet=quiet)


if __name__ == "__main__":
    paths = [Path(p) for p in sys.argv[2:]]
    if sys.argv[1] == "words":
        words(corpora(paths[0]), paths[1])
    else:
        seed = int(sys.argv[6]) if len(sys.argv) > 6 else 0
        more = (vocabulary(), *unlabelled(paths[0]))
        config = replace(DISTIL, seed=seed)
        distil(corpora(paths[0]), paths[1], read_targets(paths[2]), paths[3], config, unlabelled=more)
