"""Evidence d: what the dialogue so far is worth, on MELD text.

    python -m research.recipes.context DATA RUN

The utterance descriptors of a trained run stay as they are; on top of them the dialogue state and the head are trained
anew, with the state running over the utterances or starting from zero at each.  The two share everything else.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.metrics import score
from emoje_edge.model.dialogue import Dialogue
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets import Corpus, open_dataset
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.tokens import tokenizer

SEEDS = (0, 1, 2)
EPOCHS = 6

Row = tuple[Tensor, Tensor, Tensor]  # a dialogue: descriptors [U, D], speaker flags [U, 1], labels [U]


class Reader(nn.Module):
    """Dialogue state and head over given descriptors."""

    def __init__(self, width: int, classes: int, *, context: bool) -> None:
        super().__init__()
        self.context = context
        self.dialogue, self.head = Dialogue(width, width, 0.2), nn.Linear(width, classes)

    def forward(self, fused: Tensor, speaker: Tensor) -> Tensor:
        """[B, U, D], [B, U, 1] -> [B, U, C]."""
        state = fused.new_zeros(fused.shape[0], fused.shape[2])
        out = []
        for u in range(fused.shape[1]):
            seen, following = self.dialogue(fused[:, u], speaker[:, u], state)
            state = following if self.context else state
            out.append(self.head(seen))
        return torch.stack(out, 1)


def describe(run: Path, corpus: Corpus) -> list[Row]:
    """The corpus' dialogues through a trained network, up to the dialogue state."""
    trained = load_run(run)
    found = TorchPredictor(trained.network, Collator(trained.config, tokenizer())).predict(corpus)
    assert found.fused is not None
    at = {s.uid: i for i, s in enumerate(found.samples)}
    rows = []
    for dialogue in corpus.dialogues():
        fused = torch.from_numpy(found.fused[[at[s.uid] for s in dialogue]])
        turns = [0.5] + [float(a.speaker != b.speaker) for a, b in pairwise(dialogue)]
        rows.append((fused, torch.tensor(turns)[:, None], torch.tensor([s.label for s in dialogue])))
    return rows


def pad(rows: list[Row]) -> Row:
    fused, speaker, labels = zip(*rows, strict=True)
    padded = nn.utils.rnn.pad_sequence
    return padded(list(fused), True), padded(list(speaker), True), padded(list(labels), True, padding_value=-1)


def trial(train: list[Row], dev: list[Row], classes: tuple[str, ...], *, context: bool, seed: int) -> float:
    """Weighted F1 on `dev` after EPOCHS over `train`."""
    torch.manual_seed(seed)
    g = np.random.default_rng(seed)
    reader = Reader(train[0][0].shape[1], len(classes), context=context)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=1e-3, weight_decay=0.01)
    for _ in range(EPOCHS):
        order = g.permutation(len(train))
        for first in range(0, len(order), 16):
            fused, speaker, labels = pad([train[i] for i in order[first : first + 16]])
            loss = F.cross_entropy(reader(fused, speaker).flatten(0, 1), labels.flatten(), ignore_index=-1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    reader.eval()
    fused, speaker, labels = pad(dev)
    with torch.no_grad():
        found = reader(fused, speaker)[labels >= 0].softmax(1).numpy()
    return score(labels[labels >= 0].numpy(), found, classes).weighted_f1


def main(root: Path, run: Path) -> None:
    meld = open_dataset("meld", root / "meld")
    train, dev = (describe(run, meld.split(name)) for name in ("train", "dev"))
    print("| dialogue state | weighted F1, dev | seeds |\n|---|---|---|")
    for context in (True, False):
        found = [trial(train, dev, meld.classes, context=context, seed=seed) for seed in SEEDS]
        name = "runs over the dialogue" if context else "zero at each utterance"
        print(f"| {name} | {np.mean(found):.3f} ± {np.std(found):.3f} | {', '.join(f'{f:.3f}' for f in found)} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
