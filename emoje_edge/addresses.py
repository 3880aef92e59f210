"""Names of sources as they may be shown: addresses without what opens a camera, and every name as text.

A row, an error, a progress line or a log may be kept for years or sent to somebody; the address of a camera carries
what opens it.  A file's name is bytes: where those are no UTF-8, Python stands in characters that no file, terminal or
picture takes.
"""

from __future__ import annotations

import re
from pathlib import Path

MASK = "***"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# in running text an address ends at white space, unless an @ after it says that a password went on
_IN_TEXT = re.compile(rf"({_SCHEME.pattern})((?:.*@)?\S*)", re.IGNORECASE)
# cameras that take their password in the path: /user=admin_password=…_channel=1_stream=0.sdp
_PAIR = re.compile(
    r"(?<![a-z])((?:user(?:name)?|pass(?:wd|word)?|pwd|token|key|secret|auth|sig(?:nature)?)=).*?(?=&|_[a-z]+=|$)",
    re.IGNORECASE,
)
# which of a camera's pictures is meant is no secret, and tells two rows apart
_PLAIN = re.compile(
    r"(?:channel|subtype|stream|camera|profile|resolution|unicast|proto|fps)=[a-z\d]{0,9}", re.IGNORECASE
)
_NO_TEXT = re.compile("[\ud800-\udfff]")


def masked(source: str | Path) -> str:
    """A source's name for people: an address masked, bytes that are no UTF-8 written out, all else unchanged.

    >>> masked("rtsp://admin:hunter2@10.0.0.7:554/live?channel=1&token=abc")
    'rtsp://***@10.0.0.7:554/live?channel=1&token=***'
    """
    text = str(source)
    scheme = _SCHEME.match(text) if isinstance(source, str) else None
    return printable(scheme[0] + _masked_rest(text[scheme.end() :]) if scheme else text)


def masked_text(text: str) -> str:
    """Running text, such as a message, with every address in it masked."""
    return printable(_IN_TEXT.sub(lambda found: found[1] + _masked_rest(found[2]), text))


def printable(text: str) -> str:
    """Text that every file takes, such as `caf\\xe9.mp4` for a name in Latin-1: two such names stay two."""
    return _NO_TEXT.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text)


def _masked_rest(rest: str) -> str:
    # a password may hold any character, so all up to the last @ goes, even where that is not its end
    before, at, rest = rest.rpartition("@")
    if "?" in before or _PAIR.search(before):  # a query with an @, or a password like one: what follows may be secret
        return MASK
    place, mark, query = rest.partition("?")
    place, hash_mark, fragment = place.partition("#")
    host, slash, path = place.partition("/")
    name, colon, port = host.rpartition(":")
    if colon and port and not port.isdecimal() and not port.endswith("]"):
        host = f"{name}:{MASK}"  # user:password of an address that lacks its host
    path = _PAIR.sub(rf"\1{MASK}", path)
    parts = (_masked_value(part) for part in query.split("&")) if query else ()
    return "".join(
        (f"{MASK}@" if at else "", host, slash, path, hash_mark, MASK if fragment else "", mark, "&".join(parts))
    )


def _masked_value(part: str) -> str:
    if _PLAIN.fullmatch(part):
        return part
    key, mark, _ = part.partition("=")
    return f"{key}={MASK}" if mark else MASK
