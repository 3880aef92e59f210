"""Bytes of a text file to characters: Unicode where it is, the stray bytes in it put right, old code pages told.

Nothing is read in silence as what it may not be: a code page that was guessed is named, so that the user can say
another one.
"""

from __future__ import annotations

import codecs
import logging
import re
from pathlib import Path

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.cues.code_pages import found_page, is_western
from emoje_edge.perception.cues.raw_cue import broken

log = logging.getLogger(__name__)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STRAY = re.compile("[\udc80-\udcff]")
_STRAY_LETTER = re.compile("[\udca0-\udcff]")
_MULTIBYTE = re.compile("[^\x00-\x7f\udc80-\udcff]")
_C1 = re.compile("[\x80-\x9f]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffe\uffff]")
_ASCII = 0.1  # of the characters of any subtitles: figures, colons, line ends
# that many in a row stand in no word of English, nor of its neighbours
_FOREIGN = re.compile(rb"[\x80-\xff]{3}")
_STRAYS = 0.03  # of all letters; in no other language are so few beyond ASCII
# UTF-8 that was read as cp1252 and saved again: a lead byte's character, and one to three of those that follow
_FOLLOWING = "".join(bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0xC0)).replace("\ufffd", "")
_TWICE = re.compile(f"[\u00c2-\u00f4][{re.escape(_FOLLOWING)}]{{1,3}}")


def decoded(data: bytes, path: Path | str, encoding: str | None = None) -> str:
    """The text of a file.

    Args:
        path: for messages.
        encoding: what the user says that it is.

    Raises:
        UsageError: an encoding that is not known, or that the file is not in.
        WorkError: no text.
    """
    if encoding is not None:
        return _as_told(data, path, encoding)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\0" in data:
        return _wide(data, path)
    if b"\x1b$" in data and data.isascii():
        return data.decode("iso2022_jp", "replace")
    text = data.decode("utf-8", "surrogateescape")
    strays = len(_STRAY.findall(text))
    if not strays:
        return _once(_C1.sub(_from_c1, text))
    multibyte = len(_MULTIBYTE.findall(text))
    if multibyte >= strays or (multibyte and not _STRAY_LETTER.search(text)):
        # UTF-8 with some bytes of cp1252, as when two files were joined, or curly quotes were put in by another program
        return _once(_C1.sub(_from_c1, _STRAY.sub(_from_stray, text)))
    return _legacy(data, path)


def _as_told(data: bytes, path: Path | str, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise UsageError(
            f"--encoding {encoding} is not known", "give one of Python's, such as utf-8, cp1251, shift_jis"
        ) from None
    except UnicodeError as error:
        raise UsageError(f"{path} is not in {encoding}: {error}", "leave --encoding out, or give another") from error


def _wide(data: bytes, path: Path | str) -> str:
    """UTF-16 or UTF-32 without its mark: of both orders of bytes the one in which figures and line ends are some."""
    found = []
    for name in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        try:
            text = data.decode(name)
        except UnicodeError:
            continue
        if not _CONTROL.search(text):
            found.append((sum(c.isascii() for c in text) / len(text), text))
    share, text = max(found, default=(0.0, ""))
    if share < _ASCII:
        raise broken(path, data[: data.index(0)].count(10) + 1, "this is no text file")
    return text


def _legacy(data: bytes, path: Path | str) -> str:
    """One byte a character, or two, as before Unicode."""
    western = data.decode("cp1252", "replace")
    foreign, letters = sum(c > "\x7f" for c in western), sum(c.isalpha() for c in western)
    if foreign <= _STRAYS * letters and not _FOREIGN.search(data):
        return western  # English with a stray byte or two
    page = found_page(data)
    if page is None:
        raise WorkError(f"{path}: no known encoding fits its characters", "save it as UTF-8, or give --encoding NAME")
    if not is_western(page):
        log.warning(
            "%s is not UTF-8; it was read as %s: if that is wrong, save it as UTF-8, or give --encoding NAME",
            *(path, page),
        )
    return data.decode(page)


def _once(text: str) -> str:
    """The text, where it was encoded twice in places decoded the second time, too."""
    return _TWICE.sub(_again, text)


def _again(found: re.Match[str]) -> str:
    try:
        return found[0].encode("cp1252").decode("utf-8")
    except UnicodeError:
        return found[0]


def _from_stray(found: re.Match[str]) -> str:
    return bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace")


def _from_c1(found: re.Match[str]) -> str:
    return bytes([ord(found[0])]).decode("cp1252", "replace")
