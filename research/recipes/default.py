"""The network that ships, from the corpora to the run folder.

    emoje-edge train default --root DATA --out RUN

DATA holds meld, goemotions, ravdess and pose.  Each stage is a run of its own under RUN and is skipped where it is
done: `words` and `text` (recipes.text), `audio` (RAVDESS, actors 1 to 16), `pose` (Bandai through random cameras).
The text stage distils from RUN/targets where `recipes.teacher` has written them, else it learns from labels alone.
The last stage, in RUN itself, is `recipes.joint` on `recipes.material`.  Held out throughout: MELD dev, RAVDESS actors
17 to 20, three of Bandai's contents.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import EmojeError
from emoje_edge.model import AmEmoje, LogMelEncoder, ModelConfig
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.labels import mapping, to_emotions
from emoje_edge.training.objective import Targets
from emoje_edge.training.trainer import train
from research.recipes import audio as audio_recipe
from research.recipes import joint
from research.recipes import pose as pose_recipe
from research.recipes import text as text_recipe
from research.recipes.material import FOLD, HELD_OUT


@dataclass(frozen=True)
class Parts:
    """Training and held-out corpora of each modality, under the seven emotions; `voices` is RAVDESS' training part
    with its own eight classes, which tell its encoder more."""

    text: tuple[Corpus, Corpus]
    comments: Corpus
    unlabelled: tuple[Corpus, ...]
    voices: Corpus
    audio: tuple[Corpus, Corpus]
    pose: tuple[Corpus, Corpus]


def model() -> ModelConfig:
    """The shape of the network that ships."""
    return ModelConfig(
        text=text_recipe.ENCODER, audio=LogMelEncoder(), pose=pose_recipe.ENCODER, cross_layers=0, dropout=0.2
    )


def read_parts(root: Path, cache: Path | None = None) -> Parts:
    """All corpora under `root`."""
    meld, comments, dev = text_recipe.corpora(root)
    speech = open_dataset("ravdess", root / "ravdess", options=Options(cache=cache))
    voices, speakers = audio_recipe.fold(speech, FOLD)
    body = pose_recipe.motions(root)
    return Parts(
        (meld, dev),
        comments,
        (text_recipe.vocabulary(), *text_recipe.unlabelled(root)),
        voices,
        (to_emotions(voices), to_emotions(speakers)),
        (body.keep(lambda s: s.group not in HELD_OUT), body.keep(lambda s: s.group in HELD_OUT)),
    )


def quicker(config: TrainConfig, quick: bool) -> TrainConfig:
    return replace(config, epochs=1) if quick else config


def run(
    root: Path | str,
    out: Path | str,
    *,
    resume: bool = False,
    quiet: bool = False,
    quick: bool = False,
    last: bool = False,
) -> Run:
    """All stages; returns the joint run, which is `out` itself.

    Args:
        last: the joint stage only, on the finished branches in `out`.
        quick: one epoch a stage on a small part of the data, to see that it runs.
    """
    root, out = Path(root), Path(out)
    parts = read_parts(root, out / "features")
    if quick:
        parts = shrink(parts)
    targets = text_recipe.read_targets(out / "targets") if (out / "targets").is_dir() else None
    if last:
        finished = (n for n in ("words", "text", "audio", "pose") if (out / n / "config.json").is_file())
        found = {name: load_run(out / name) for name in finished}
    else:
        found = stages(parts, out, targets, quick=quick, resume=resume, quiet=quiet)
    done = joint.stage(model(), initial(found), parts.text[0], root, out, quick=quick)
    if TOKENIZER.is_file():
        shutil.copyfile(TOKENIZER, out / "tokenizer.json")
    return done


def stages(
    parts: Parts, out: Path, targets: Targets | None, *, quick: bool, resume: bool, quiet: bool
) -> dict[str, Run]:
    """Each modality on its own: the run of each stage by its name."""
    lines = (parts.text[0], parts.comments, parts.text[1])
    config = quicker(text_recipe.WORDS, quick)
    make = partial(text_recipe.words, lines, out / "words", config, quiet=quiet)
    found = {"words": _stage(out / "words", make, resume)}
    if targets is not None:
        config = quicker(text_recipe.DISTIL, quick)
        make = partial(text_recipe.distil, lines, out / "words", targets, out / "text", config)
        make = partial(make, unlabelled=parts.unlabelled, quiet=quiet)
        found["text"] = _stage(out / "text", make, resume)
    rounds = [quicker(replace(c, seed=FOLD), quick) for c in (audio_recipe.TRAINING, audio_recipe.AGAIN)]
    sounds = audio_recipe.babblers(parts.voices)
    if quick:
        rounds = rounds[-1:]
    noises = 2 if quick else audio_recipe.NOISES
    found["audio"] = audio_recipe.branch(parts.voices, sounds, out / "audio", rounds, noises=noises, quiet=quiet)
    config, bodies = quicker(pose_recipe.TRAINING, quick), pose_recipe.materials(parts.pose[0])
    make = partial(train, pose_recipe.model(), config, bodies, out / "pose", quiet=quiet)
    found["pose"] = _stage(out / "pose", make, resume)
    return found


def _stage(folder: Path, make: Callable[..., Run], resume: bool) -> Run:
    """The run in `folder`: read where it is finished, resumed where it was stopped, else made."""
    return make(resume=resume and (folder / "config.json").exists())


def initial(found: dict[str, Run]) -> dict[str, Tensor]:
    """Weights to start the joint stage from: the text run whole, the encoders of audio and pose with their readers."""
    torch.manual_seed(0)
    weights = AmEmoje(model()).state_dict()
    given = dict((found.get("text") or found["words"]).network.state_dict())
    for name in ("audio", "pose"):
        run = found[name]
        own = run.network.state_dict()
        kept = (f"encoders.{name}.", f"fusion.norm.{name}.", f"fusion.project.{name}.", "baseline.")
        given |= {k: v for k, v in own.items() if k.startswith(kept)}
        given |= {f"evidence.{name}.norm.{k}": own[f"fusion.norm_out.{k}"] for k in ("weight", "bias")}
        read = reading(run.meta["corpora"]["train"]["labels"])
        given |= {f"evidence.{name}.out.{k}": read @ own[f"head.{k}"] for k in ("weight", "bias")}
    return weights | {k: v for k, v in given.items() if k in weights and weights[k].shape == v.shape}


def reading(counts: Mapping[str, int]) -> Tensor:
    """[7, C]: a branch's classes read as evidence for the seven emotions.

    An emotion is the mean of the classes that map onto it, against the mean of all; one that the branch has never met
    is neither likely nor unlikely by it.
    """
    means = mapping(Corpus("", tuple(counts), ()))
    rows = torch.tensor([[float(means[c] == e and n > 0) for c, n in counts.items()] for e in EMOTIONS])
    met = rows.sum(1, keepdim=True)
    rows = rows / met.clamp(min=1)
    return rows - (met > 0) * rows.sum(0) / (met > 0).sum()


def shrink(parts: Parts, size: int = 60) -> Parts:
    """The first few samples of everything: for trying the recipe out."""

    def few(corpus: Corpus) -> Corpus:
        return Corpus(corpus.name, corpus.classes, corpus.samples[:: max(1, len(corpus) // size)])

    def start(corpus: Corpus) -> Corpus:
        return Corpus(corpus.name, corpus.classes, corpus.samples[: 4 * size])

    return Parts(
        (start(parts.text[0]), start(parts.text[1])),
        few(parts.comments),
        tuple(few(corpus) for corpus in parts.unlabelled),
        few(parts.voices),
        (few(parts.audio[0]), few(parts.audio[1])),
        (few(parts.pose[0]), few(parts.pose[1])),
    )


def main() -> None:
    """The command line: `emoje-edge train default` starts it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for flag in ("resume", "quiet", "quick", "last"):
        parser.add_argument(f"--{flag}", action="store_true")
    given = vars(parser.parse_args())
    try:
        print(run(given.pop("root"), given.pop("out"), **given).path)
    except EmojeError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
