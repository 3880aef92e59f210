"""The networks that ship, small and medium, from the corpora to their run folders RUN/small and RUN/medium.

    emoje-edge train default --root DATA --encoder ENCODER --out RUN [--model small]

DATA holds meld, emorynlp, goemotions, mosi, ravdess and pose, ENCODER is the folder of all-MiniLM-L6-v2.  Both sizes
share RUN/tokenizer.json (recipes.minilm_tokenizer) and RUN/pose (Bandai through random cameras); RUN/text-SIZE is the
text branch (recipes.minilm), distilled from RUN/targets where `recipes.teacher` has written them, else from labels
alone; medium's is settled on labels, and small's then learns from it (recipes.feature_distillation).  RAVDESS' actors 1
to 16 teach the ears: RUN/audio of small (recipes.audio), RUN/ears of medium, the first layers of the Whisper that ships
(recipes.ears_branch).  A stage is a run of its own, skipped where it is done.  The last one, in RUN/SIZE, is
`recipes.joint` on `recipes.material`.  Held out throughout: MELD dev, RAVDESS actors 17 to 20, three of Bandai's
contents.  `--free` makes words alone, without any corpus that is not free (recipes.free).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import EmojeError, UsageError
from emoje_edge.model import AmEmoje, LogMelEncoder, ModelConfig
from emoje_edge.shapes import BANDS
from emoje_edge.shipped import DEFAULT, WHISPER
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.labels import mapping, to_emotions
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import train
from research.recipes import audio as audio_recipe
from research.recipes import ears_branch, feature_distillation, free, joint, minilm, minilm_tokenizer, pretrained
from research.recipes import pose as pose_recipe
from research.recipes.material import FOLD, HELD_OUT

TOKENS = "tokenizer.json"
TEACHER = "medium"  # whose words small learns to say


@dataclass(frozen=True)
class Parts:
    """Training and held-out corpora of each modality, under the seven emotions; `voices` is RAVDESS' training part
    with its own eight classes, which tell its encoder more."""

    text: tuple[Corpus, Corpus]
    voices: Corpus
    audio: tuple[Corpus, Corpus]
    pose: tuple[Corpus, Corpus]


def model(size: str = DEFAULT) -> ModelConfig:
    """The shape of a network that ships."""
    audio = LogMelEncoder() if size == DEFAULT else ears_branch.HEARS
    return ModelConfig(text=minilm.ENCODERS[size], audio=audio, pose=pose_recipe.ENCODER, cross_layers=0, dropout=0.2)


def read_parts(root: Path, cache: Path | None = None, bands: int = BANDS) -> Parts:
    """All corpora under `root`; `bands` of the sound feature, 80 for medium."""
    meld = open_dataset("meld", root / "meld")
    speech = open_dataset("ravdess", root / "ravdess", options=Options(cache=cache, bands=bands))
    voices, speakers = audio_recipe.fold(speech, FOLD)
    body = pose_recipe.motions(root)
    return Parts(
        (meld.split("train"), meld.split("dev")),
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
    encoder: Path | None = None,
    size: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    quick: bool = False,
    last: bool = False,
) -> list[Run]:
    """All stages; returns the joint run of each size.

    Args:
        encoder: the sentence encoder that the text branch starts from; only `last` goes without.
        size: `small` or `medium`; None for both.
        last: the joint stage only, on the finished branches in `out`.
        quick: one epoch a stage on a small part of the data, to see that it runs.

    Raises:
        UsageError: no encoder.
    """
    root, out = Path(root), Path(out)
    sizes = (size,) if size else tuple(minilm.ENCODERS)
    if encoder is None and not last:
        raise UsageError("train default without --encoder", "give the folder of all-MiniLM-L6-v2 (docs/training.md)")
    if encoder is not None:
        for name in _teachers_first(sizes):
            pretrained.check(encoder, minilm.ENCODERS[name])
    parts = read_parts(root, out / "features")
    if quick:
        parts = shrink(parts)
    if encoder is not None and not last:
        stages(parts, root, out, encoder, sizes, quick=quick, resume=resume, quiet=quiet)
    done = []
    for name in sizes:
        start = initial(model(name), branches(out, name))
        settings = joint.SHIPPED if name == DEFAULT else joint.MEDIUM
        stage = partial(joint.stage, model(name), start, parts.text[0], root, out / name, out / TOKENS)
        done.append(stage(settings=settings, quick=quick))
    return done


def branches(out: Path, size: str) -> dict[str, Run]:
    """The finished stages that a network of this size begins with, by modality."""
    names = {"text": f"text-{size}", "audio": "audio" if size == DEFAULT else "ears", "pose": "pose"}
    return {modality: load_run(out / name) for modality, name in names.items()}


def stages(
    parts: Parts, root: Path, out: Path, encoder: Path, sizes: Sequence[str], *, quick: bool, resume: bool, quiet: bool
) -> None:
    """Each modality on its own: a run in OUT/text-SIZE, OUT/audio or OUT/ears, and OUT/pose."""
    if not (out / TOKENS).is_file():
        out.mkdir(parents=True, exist_ok=True)
        minilm_tokenizer.main(str(root), str(encoder), str(out / TOKENS))
    for size in _teachers_first(sizes):
        words(size, root, out, encoder, quick=quick, resume=resume)
    rounds = [quicker(replace(c, seed=FOLD), quick) for c in (audio_recipe.TRAINING, audio_recipe.AGAIN)]
    sounds = audio_recipe.babblers(parts.voices)
    if quick:
        rounds = rounds[-1:]
    noises = 2 if quick else audio_recipe.NOISES
    if DEFAULT in sizes:
        heard = audio_recipe.as_heard(parts.voices, Options(cache=out / "features"))
        audio_recipe.branch(heard, sounds, out / "audio", rounds, noises=noises, quiet=quiet)
    if set(sizes) - {DEFAULT}:
        ears_branch.branch(parts.voices, WHISPER, out / "ears", out / "heard.npz", quicker(ears_branch.TRAINING, quick))
    config, bodies = quicker(pose_recipe.TRAINING, quick), pose_recipe.materials(parts.pose[0])
    _stage(out / "pose", partial(train, pose_recipe.model(), config, bodies, out / "pose", quiet=quiet), resume)


def words(size: str, root: Path, out: Path, encoder: Path, *, quick: bool, resume: bool) -> None:
    """A size's words: from a sentence encoder by the teachers' word; medium then by labels, small by medium's word."""
    first, last, targets = out / f"text-{size}-1", out / f"text-{size}", out / "targets"
    _stage(first, partial(minilm.distill, size, root, encoder, out / TOKENS, targets, first, quick=quick), resume)
    if size == DEFAULT:
        if not (last / "config.json").is_file():
            teacher, start = load_run(out / f"text-{TEACHER}"), load_run(first)
            feature_distillation.distill_features(root, teacher, start, last, quick=quick)
    else:
        _stage(last, partial(minilm.settle, root, first, targets, last, quick=quick), resume)


def _teachers_first(sizes: Sequence[str]) -> list[str]:
    """Whose words are to be made: small learns from medium."""
    return [TEACHER, *(size for size in sizes if size != TEACHER)]


def _stage(folder: Path, make: Callable[..., Run], resume: bool) -> Run:
    """The run in `folder`: read where it is finished, resumed where it was stopped, else made."""
    return make(resume=resume and (folder / "config.json").exists())


def initial(config: ModelConfig, found: dict[str, Run]) -> dict[str, Tensor]:
    """Weights to start the joint stage from: the text run whole, the encoders of audio and pose with their readers."""
    torch.manual_seed(0)
    weights = AmEmoje(config).state_dict()
    given = dict(found["text"].network.state_dict())
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
        few(parts.voices),
        (few(parts.audio[0]), few(parts.audio[1])),
        (few(parts.pose[0]), few(parts.pose[1])),
    )


def main() -> None:
    """The command line: `emoje-edge train default` starts it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--model", dest="size", choices=tuple(minilm.ENCODERS))
    for flag in ("resume", "quiet", "quick", "last", "free"):
        parser.add_argument(f"--{flag}", action="store_true")
    given = vars(parser.parse_args())
    try:
        if given.pop("free"):
            given.pop("last")
            print(free.run(**given).path)
            return
        for done in run(given.pop("root"), given.pop("out"), **given):
            print(done.path)
    except EmojeError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
