"""Words alone, from nothing but what may be used for anything: GoEmotions and all-MiniLM-L6-v2, both Apache-2.0.

    emoje-edge train default --free --root DATA --encoder ENCODER --out RUN [--model small]

There is no such corpus of voices or motions here (RAVDESS and Bandai are non-commercial), and none of dialogues (MELD
and EmoryNLP are for research), so the network reads single lines, and no teacher speaks.  DATA holds goemotions.
RUN/tokenizer.json is made of GoEmotions' words, RUN/free-SIZE is the network.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from emoje_edge.errors import UsageError
from emoje_edge.model import AmEmoje
from emoje_edge.shipped import DEFAULT
from emoje_edge.training.checkpoint import Run
from emoje_edge.training.datasets import Corpus, open_dataset
from emoje_edge.training.objective import Targets
from emoje_edge.training.tokens import tokenizer_of
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from research.augmentation.rewording import as_spoken
from research.recipes import minilm, minilm_tokenizer, pretrained
from research.recipes.plain import sentences

SENTENCES = 4000  # of our own
TRAINING = replace(minilm.DISTIL, epochs=2, focal=1.0, smoothing=0.1)
TOKENS = "tokenizer.json"


def run(
    root: Path,
    out: Path,
    encoder: Path | None,
    *,
    size: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    quick: bool = False,
) -> Run:
    """The network of one size (small where none is named); the arguments are those of `recipes.default.run`.

    Raises:
        UsageError: no encoder, or a folder that is none.
    """
    if encoder is None:
        raise UsageError("train default without --encoder", "give the folder of all-MiniLM-L6-v2 (docs/training.md)")
    size = size or DEFAULT
    shape = minilm.model(size)
    pretrained.check(encoder, minilm.ENCODERS[size])
    comments = open_dataset("goemotions", root / "goemotions")
    lines, dev = (comments.split(part) for part in ("train", "dev"))
    lines = lines.keep(lambda s: s.label >= 0)
    if quick:
        lines, dev = (replace(corpus, samples=corpus.samples[:240]) for corpus in (lines, dev))
    tokenizer = out / TOKENS
    if not tokenizer.is_file():
        out.mkdir(parents=True, exist_ok=True)
        texts = [s.text for s in lines.samples if s.text]
        minilm_tokenizer.make(texts, minilm_tokenizer.pieces(encoder)).save(str(tokenizer))
    materials = _materials(lines, dev, size, encoder, tokenizer)
    config = _training(size, quick)
    return train(shape, config, materials, out / f"free-{size}", resume=resume, quiet=quiet)


def _training(size: str, quick: bool) -> TrainConfig:
    config = TRAINING if size == DEFAULT else replace(TRAINING, encoder_rate=minilm.DISTIL_MEDIUM.encoder_rate)
    return replace(config, epochs=1) if quick else config


def _materials(lines: Corpus, dev: Corpus, size: str, encoder: Path, tokenizer: Path) -> Materials:
    shape = minilm.model(size)
    torch.manual_seed(0)
    plain, made = sentences(SENTENCES, seed=0)
    return Materials(
        Corpus.join([lines, plain], "free text"),
        dev,
        tokenizer_of(shape, tokenizer),
        tokenizer,
        reword=as_spoken(s.text for s in lines.samples if s.text),
        targets=Targets(dict(made.rows), made.logits),
        initial=AmEmoje(shape).state_dict() | pretrained.start(encoder, tokenizer, minilm.ENCODERS[size]),
        frozen=() if size == DEFAULT else minilm.TABLE,
    )
