"""The stress table of the shipped engines, where people look for it.

    python -m research.recipes.stress DATA [--model small|medium] [--speech SPEECH]

Words of MELD dev, voices of RAVDESS' actors 17 to 20 and Bandai's held-out contents, each with companions beside it.
Writes the first table of the model card (words) and the block `after` of docs/evidence/stress.md (all three).  SPEECH
is a folder of people, or synthesisers, that talk without acting.
"""

from __future__ import annotations

from pathlib import Path

from emoje_edge.evaluation.companions import read_companions
from emoje_edge.evaluation.stress import (
    Remembering,
    StressReport,
    choose,
    engines_digest,
    markdown,
    stress,
    with_engines,
)
from emoje_edge.evaluation.stress_conditions import catalogue
from emoje_edge.modality import Modality
from emoje_edge.shipped import DEFAULT, engines_of
from emoje_edge.training.datasets.ravdess import with_words
from research.recipes.confidence import bases
from research.recipes.pages import arguments_of, put_in_card, put_in_page


def measure(root: Path, speech: Path | None = None, model: str = DEFAULT) -> list[StressReport]:
    """The table of each modality, with everything that there is material for."""
    engines = engines_of(model)
    found, reports = read_companions(root, speech=speech), []
    with Remembering(engine_dir=engines, words="off") as recognizer:
        for base, corpus in bases(root).items():
            chosen, lacking = choose(with_engines(catalogue(base, found), base, recognizer), None)
            given = with_words(corpus) if base is Modality.AUDIO else corpus
            digest = engines_digest(engines)
            reports.append(stress(recognizer, given, base, chosen, engines=digest, not_measured=lacking))
            print(markdown(reports[-1]), flush=True)
    return reports


def main(root: Path, model: str = DEFAULT, speech: Path | None = None) -> None:
    reports = measure(root, speech, model)
    put_in_card(model, "stress", markdown(reports[0]))
    put_in_page("stress", model, "after", "\n\n".join(map(markdown, reports)))


if __name__ == "__main__":
    given = arguments_of(__doc__, "--speech")
    main(given.data, given.model, given.speech)
