"""Which Whisper models there are: the one that ships, and those that were added by hand.  Nothing is ever fetched.

A model is a folder in CTranslate2's form.  An added one is a copy with `digests.json` (SHA-256 of each file), which is
checked whenever it is opened.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.transcribe import Transcriber
from emoje_edge.perception.word_model_files import DIGESTS, FILES, HINT, check, sha256_of
from emoje_edge.shipped import WHISPER

# what else a folder of CTranslate2 may hold and a copy takes along
_MORE = ("vocabulary.json", "vocabulary.txt", "preprocessor_config.json")
SHIPPED_NAME = "tiny.en"


@dataclass(frozen=True)
class WordModel:
    """A model that can be named: its name, folder, size (bytes) and the SHA-256 of its `model.bin`."""

    name: str
    folder: Path
    size: int
    digest: str


def home() -> Path:
    """Where added models lie: $EMOJE_MODELS, else the user's data folder."""
    from platformdirs import user_data_path

    given = os.environ.get("EMOJE_MODELS")
    return Path(given) if given else user_data_path("emoje-edge", False) / "models"


def words_wanted(words: str | Path, *, with_text: bool) -> Path | None:
    """The folder of the model that recognises words; None where none is wanted or, for `"auto"`, can be had.

    Args:
        with_text: whether words are of any use.

    Raises:
        UsageError: no model of that name.
    """
    if words == "off" or not with_text:
        return None
    if words == "auto":
        return WHISPER if find_spec("ctranslate2") else None
    return resolve(words)


def models() -> list[WordModel]:
    """The shipped model, then the added ones by name."""
    added = sorted(path.parent for path in home().glob(f"*/{DIGESTS}")) if home().is_dir() else []
    return [_described(SHIPPED_NAME, WHISPER), *(_described(folder.name, folder) for folder in added)]


def resolve(name: str | Path) -> Path:
    """The folder of a model that was named, or that is a folder itself.

    Raises:
        UsageError: neither a name nor a model's folder.
    """
    if str(name) == SHIPPED_NAME:
        return WHISPER
    for folder in (home() / str(name), Path(name)):
        if folder.is_dir():
            check(folder)
            return folder
    known = ", ".join(model.name for model in models())
    raise UsageError(f"no Whisper model {name}", f"known: {known}; or {HINT}; emoje-edge models add FOLDER keeps one")


def add(folder: Path, name: str | None = None) -> WordModel:
    """Copy a model to the others.

    Args:
        folder: in CTranslate2's form; opened once, to see that it works.
        name: under which `--words` finds it; None: the folder's own.

    Raises:
        UsageError: no such model, a name that is taken or cannot be one.
        WorkError: it does not open, or cannot be copied.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}", HINT)
    name = name or folder.resolve().name
    if name in (SHIPPED_NAME, "auto", "off") or not all(c.isalnum() or c in "-_." for c in name) or name[0] in "-.":
        raise UsageError(f"a model cannot be called {name!r}", "give --name: letters, digits, dots and dashes")
    target = home() / name
    if target.exists():
        raise UsageError(f"there is a model {name} already", f"emoje-edge models remove {name}, or give --name")
    Transcriber(folder)
    try:
        home().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home(), prefix=".adding-") as unfinished:
            copy = Path(unfinished) / name
            _copy(folder, copy)
            copy.rename(target)
    except OSError as error:
        raise WorkError(f"{folder} cannot be copied to {home()}: {error.strerror}", "make room there") from error
    return _described(name, target)


def remove(name: str) -> Path:
    """Delete an added model; the folder that is gone.

    Raises:
        UsageError: the shipped model, or none of that name.
    """
    folder = home() / name
    if name == SHIPPED_NAME or Path(name).name != name or not (folder / DIGESTS).is_file():
        added = ", ".join(model.name for model in models()[1:]) or "none"
        raise UsageError(f"no added model {name}", f"added: {added}; the shipped one ({SHIPPED_NAME}) stays")
    shutil.rmtree(folder)
    return folder


def _copy(folder: Path, target: Path) -> None:
    target.mkdir()
    names = [name for name in (*FILES, *_MORE) if (folder / name).is_file()]
    for name in names:
        shutil.copyfile(folder / name, target / name)
    digests = {name: sha256_of(target / name) for name in names}
    (target / DIGESTS).write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


def _described(name: str, folder: Path) -> WordModel:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        digest = str(json.loads((folder / DIGESTS).read_text(encoding="utf-8"))["model.bin"])
    except (OSError, ValueError, KeyError):
        digest = "unknown"
    return WordModel(name, folder, size, digest)
