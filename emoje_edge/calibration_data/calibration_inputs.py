"""Where calibration sets come from: the set that ships (`synthetic`), an `.npz` file, a labelled corpus
(`meld:FOLDER`), or recordings of your own (a file or folder, through perception).

See docs/calibration.md for how to choose.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.calibration_data.synthetic import SHIPPED, synthetic_set
from emoje_edge.engine.calibration_set import HELP, CalibrationSet, checked, pad_rows
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.model.config import ModelConfig
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shapes import BANDS, TOKENS
from emoje_edge.shipped import TOKENIZER


def open_set(source: str | None, config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    """The calibration set that `--data` names (None: the one that ships), cut to `samples` utterances.

    Raises:
        UsageError: no such file, folder or corpus, or arrays that do not fit the model.
        WorkError: an unreadable file.
    """
    if source is None or source == SHIPPED:
        return checked(synthetic_set(config, tokenizer, samples), config)
    name, _, folder = source.partition(":")
    if folder and name.replace("-", "").isalnum() and len(name) > 1:
        return checked(_corpus(name, Path(folder), config, tokenizer, samples), config)
    path = Path(source)
    if not path.exists():
        raise UsageError(f"no calibration data {source}", f"allowed: {HELP}")
    if path.suffix == ".npz":
        return checked(_npz(path).head(samples), config)
    return checked(_recordings(path, config, tokenizer, samples), config)


def _npz(path: Path) -> CalibrationSet:
    try:
        with np.load(path, allow_pickle=False) as file:
            return CalibrationSet(path.stem, {name: file[name] for name in file.files})
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise WorkError(f"{path} is no readable .npz: {error}", f"allowed: {HELP}") from error
    except Exception as error:  # zipfile and zlib raise their own
        raise WorkError(f"{path} is damaged: {error}", f"allowed: {HELP}") from error


def _corpus(name: str, root: Path, config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    from emoje_edge.training.batching import Collator
    from emoje_edge.training.datasets import Options, open_dataset
    from emoje_edge.training.tokens import tokenizer_of

    corpus = open_dataset(name, root, options=Options(bands=getattr(config.audio, "bands", BANDS)))
    order = np.random.default_rng(0).permutation(len(corpus.samples))[:samples]
    collate = Collator(config, tokenizer_of(config, tokenizer))
    rows: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    quality: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    for i in order:
        for m in config.mask:
            array = collate.array(corpus.samples[i], m)
            if array is not None and len(array):
                rows[m].append(np.asarray(array))
                quality[m].append(collate.quality(corpus.samples[i], m))
    return pad_rows(rows, config, samples, name, quality=quality)


def _recordings(path: Path, config: ModelConfig, vocabulary: Path | None, samples: int) -> CalibrationSet:
    from emoje_edge.perception.perceive import perceive

    tokenizer = Tokenizer(vocabulary or TOKENIZER, length=getattr(config.text, "tokens", TOKENS))
    rows: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    quality: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    failures = []
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file() or max(map(len, rows.values())) >= samples:
            continue
        try:
            for utterance in perceive(file, tokenizer=tokenizer, bands=getattr(config.audio, "bands", BANDS)):
                for m, features in utterance.features.items():
                    if m in rows and len(features):
                        rows[m].append(features)
                        quality[m].append(utterance.quality[m])
        except WorkError as error:
            failures.append(error)
    if not any(rows.values()):
        raise failures[0] if failures else UsageError(f"{path} holds no recording", f"allowed: {HELP}")
    return pad_rows(rows, config, samples, path.stem, quality=quality)
