"""What belongs to a Whisper model's folder, and whether the files there are the ones that were added."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.shipped import WHISPER

DIGESTS = "digests.json"
FILES = ("model.bin", "config.json", "tokenizer.json")  # a model has all of these
HINT = "give a folder with model.bin, config.json and tokenizer.json, as ct2-transformers-converter writes it"


def check(folder: Path) -> None:
    """Whether a folder holds a model's files, and, where their digests are known, these very files.

    Raises:
        UsageError: files are missing.
        WorkError: a file is not the one that was added.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} is no Whisper model for CTranslate2: no {', no '.join(missing)}", HINT)
    record = folder / DIGESTS
    if not record.is_file():
        return
    try:
        digests = dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise WorkError(f"{record} cannot be read: {error}", "add the model again: emoje-edge models add") from error
    for name, known in digests.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != known:
            remedy = "reinstall emoje-edge" if folder == WHISPER else "remove it and add it again: emoje-edge models"
            raise WorkError(f"{folder / name} is not the file that was added (SHA-256 {known[:12]}…)", remedy)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
