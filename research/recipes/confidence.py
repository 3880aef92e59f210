"""How sure the shipped engines are: a temperature a mask, and what the numbers are worth then.

    python -m research.recipes.confidence DATA [--model small|medium]

Fitted on what the model was not trained on: MELD dev, RAVDESS actors 17 to 20, Bandai's held-out contents; pairs and
all three on those with companions at the rates of `LIFE`.  Writes the model's temperatures.json, the manifests' field,
and the block `confidence` of the model card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.dialogue import DialogueState
from emoje_edge.emotion import EMOTIONS
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.temperatures import set_temperature, write_temperatures
from emoje_edge.evaluation.companions import VIEWS, Companions, read_companions, unseen
from emoje_edge.evaluation.stress import Remembering, arguments
from emoje_edge.evaluation.stress_conditions import Given, catalogue, recorded
from emoje_edge.evaluation.temperature import fit_temperature, held_out_probabilities, risk_coverage, tempered
from emoje_edge.metrics import calibration_error
from emoje_edge.modality import Mask, Modality
from emoje_edge.shipped import DEFAULT, engines_of, model_folder
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.labels import to_emotions
from research.evidence.tables import markdown
from research.recipes.pages import arguments_of, put_in_card

# What comes beside an utterance, and how often: agreeing as rarely as makes the addition worth what it is in real
# conversation (the figures: voice alone .41, words .59, both .61).
LIFE = {
    Modality.AUDIO: {"agreeing-voice": 0.2, "neutral-voice": 0.4, "other-voice": 0.1, "voice-in-noise": 0.3},
    Modality.POSE: {"agreeing-motion": 0.2, "still-body": 0.3, "talking-head": 0.2, "people": 0.2, "other-motion": 0.1},
}
SEED = 7


@dataclass(frozen=True)
class Fit:
    """One mask: what it was fitted on, the answers (N labels and log-probabilities), and the temperature."""

    mask: Mask
    data: str
    labels: np.ndarray
    logits: np.ndarray
    groups: tuple[str, ...]
    temperature: float

    @property
    def before(self) -> float:
        """Expected calibration error of the network's own probabilities."""
        return calibration_error(self.labels, tempered(self.logits, 1.0))

    @property
    def held_out(self) -> np.ndarray:
        """Probabilities, each at the temperature of the other folds."""
        return held_out_probabilities(self.labels, self.logits, self.groups)


def bases(root: Path) -> dict[Modality, Corpus]:
    """The parts that nothing was trained on, as recordings."""
    options = Options(samples=True, views=VIEWS)
    return {
        Modality.TEXT: to_emotions(open_dataset("meld", root / "meld", split="dev", options=options)),
        Modality.AUDIO: to_emotions(unseen(open_dataset("ravdess", root / "ravdess", options=options))),
        Modality.POSE: to_emotions(unseen(open_dataset("bandai", root / "pose", options=options))),
    }


def fit_temperatures(engines: Path, root: Path) -> list[Fit]:
    """A temperature for each of the seven masks."""
    found, corpora = read_companions(root), bases(root)
    return [_fit(engines, mask, corpora[mask.modalities[0]], found) for mask in Mask.all()]


def _fit(engines: Path, mask: Mask, corpus: Corpus, found: Companions) -> Fit:
    base, *others = mask.modalities
    makers = {c.name: c.make for c in catalogue(base, found)}
    labels: list[int] = []
    logits: list[np.ndarray] = []
    groups: list[str] = []
    with Remembering(mask, engine_dir=engines, words="off") as recognizer:
        for number, dialogue in enumerate(corpus.dialogues()):
            state = DialogueState()
            for s in dialogue:
                g = np.random.default_rng((SEED, number, s.index))
                beside: dict[Modality, Any] = {}
                for m in others:
                    names = [n for n in LIFE[m] if n in makers]
                    rates = np.array([LIFE[m][n] for n in names])
                    beside |= makers[names[g.choice(len(names), p=rates / rates.sum())]](s, g).features
                event = recognizer.recognize(**arguments(recorded(s, base), base, Given(beside), s), state=state)
                if s.label >= 0 and event.probabilities and len(event.modalities) == len(mask):
                    temperature = read_manifest(engines / mask.folder).temperature or 1.0
                    p = np.array([event.probabilities[e] for e in EMOTIONS])
                    labels.append(s.label)
                    logits.append(np.log(np.maximum(p, 1e-12)) * temperature)
                    groups.append(s.block)
    y, z = np.array(labels), np.stack(logits)
    data = f"{corpus.name}, {base} given" + (f", {' and '.join(others)} beside it" if others else "")
    return Fit(mask, data, y, z, tuple(groups), fit_temperature(y, z))


def chance_error(probabilities: np.ndarray, draws: int = 200) -> float:
    """The calibration error that answers measure which are right exactly as often as they say: their number makes it.

    Args:
        probabilities: [N, C].
    """
    g = np.random.default_rng(SEED)
    drawn = ((probabilities.cumsum(1) > g.random((len(probabilities), 1))).argmax(1) for _ in range(draws))
    return float(np.mean([calibration_error(labels, probabilities) for labels in drawn]))


def document(fits: list[Fit]) -> str:
    """Markdown: temperatures and calibration errors, and how often the surest answers are wrong."""
    rows = [["mask", "fitted on", "n", "temperature", "ECE before", "ECE, folds held out", "of it by chance"]]
    for fit in fits:
        after = calibration_error(fit.labels, fit.held_out)
        errors = (fit.before, after, chance_error(fit.held_out))
        rows.append(
            [str(fit.mask), fit.data, str(len(fit.labels)), f"{fit.temperature:.2f}", *map("{:.3f}".format, errors)]
        )
    shares = (1.0, 0.8, 0.6, 0.4, 0.2)
    risk = [["wrong among the surest", *(f"{share:.0%}" for share in shares)]]
    for fit in fits[:3]:
        curve = risk_coverage(fit.labels, fit.held_out, shares)
        risk.append([f"{fit.mask}", *(f"{wrong:.2f} (confidence ≥ {least:.2f})" for _, least, wrong in curve)])
    return f"{markdown(rows)}\n\n{markdown(risk)}"


def main(root: Path, model: str = DEFAULT) -> None:
    engines = engines_of(model)
    fits = fit_temperatures(engines, root)
    write_temperatures(model_folder(model), {fit.mask: fit.temperature for fit in fits})
    for fit in fits:
        set_temperature(engines / fit.mask.folder, round(fit.temperature, 4))
    text = document(fits)
    put_in_card(model, "confidence", text)
    print(text)


if __name__ == "__main__":
    given = arguments_of(__doc__)
    main(given.data, given.model)
