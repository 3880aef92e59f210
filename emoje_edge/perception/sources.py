"""Opening a source with PyAV: a file, a camera, a microphone, a network stream or standard input."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.http_source import AWAY

# Endings that a folder or glob is searched for; a file named outright is opened whatever its ending.
VIDEO = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "mts", "m2ts", "ts", "wmv", "flv", "3gp", "ogv")
SOUND = ("wav", "flac", "mp3", "m4a", "aac", "ogg", "opus")
MEDIA = tuple(f".{ending}" for ending in VIDEO + SOUND)
SUBTITLES = (".srt", ".vtt", ".ass", ".ssa")
LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "udp")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_PATIENCE = 10.0  # s to wait for a network stream
# A playlist on the disk may name addresses on the network: a file never makes us contact anyone.
_FILE_PROTOCOLS = "file,crypto,data"
_ALSA = Path("/usr/share/alsa/alsa.conf")
REPAIR = "play it to see whether it is whole; fetch or export it again (rows found so far are kept)"


def is_live(source: str | Path) -> bool:
    """Whether a source has no end that is known: a camera, a microphone, an address or standard input."""
    return isinstance(source, str) and (
        source == "-" or source.startswith(("webcam:", "mic:")) or bool(_SCHEME.match(source))
    )


def open_container(source: str | Path) -> Any:
    """The PyAV container of a source.

    Raises:
        UsageError: no such file, or a kind of source that is not known.
        WorkError: it cannot be read.
    """
    name, options = _address(source)
    try:
        return av.open(name, metadata_errors="replace", **options)
    except FFmpegError as error:
        cause = None if is_live(source) else error  # its text holds the address with its password
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.ENOENT, errno.EBUSY):
            raise WorkError(
                f"{source} cannot be opened: {error.strerror}", "is it there, free and readable?"
            ) from cause
        if cause is None and source != "-":
            raise WorkError(f"{source} gives no stream: {error.strerror}", AWAY) from None
        message = f"{source} is no video that can be read, or is cut off: {error.strerror}"
        raise WorkError(message, REPAIR) from cause


def _address(source: str | Path) -> tuple[str, dict[str, Any]]:
    """What `av.open` is to be given."""
    text = str(source)
    if source == "-":
        return "pipe:0", {}
    if text.startswith("webcam:"):
        return _camera(text)
    if text.startswith("mic:"):
        return _microphone(text)
    scheme = _SCHEME.match(text) if isinstance(source, str) else None
    if scheme is None:
        return _file(Path(source)), {"options": {"protocol_whitelist": _FILE_PROTOCOLS}}
    if scheme[1].lower() not in LIVE_SCHEMES:
        allowed = ", ".join(f"{s}://" for s in LIVE_SCHEMES)
        raise UsageError(f"{text}: {scheme[1]}:// is no source", f"allowed: {allowed}; http(s):// with --allow-http")
    # the rate is not measured before anything is shown: that alone takes a second
    options = {"fpsprobesize": "0"}
    if scheme[1].lower().startswith("rtsp"):
        options["rtsp_transport"] = "tcp"
    return text, {"options": options, "timeout": _PATIENCE}


def _file(path: Path) -> str:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "name a file in it")
    if not path.exists():
        raise UsageError(f"no file {path}", "give a video or audio file, webcam:0, rtsp://… or - for standard input")
    if path.is_file() and not path.stat().st_size:
        raise WorkError(f"{path} is empty", "fetch or record the file again")
    # `file:` keeps FFmpeg from taking a colon or a percent sign in the name for something else
    return f"file:{path}"


def _microphone(text: str) -> tuple[str, dict[str, Any]]:
    name = text.removeprefix("mic:")
    if not name:
        raise UsageError(f"{text} names no microphone", "give mic:default, or a device's name")
    if sys.platform == "darwin":
        return f":{'0' if name == 'default' else name}", {"format": "avfoundation"}
    if sys.platform == "win32":
        return f"audio={_device('audio', 0) if name == 'default' else name}", {"format": "dshow"}
    if _ALSA.is_file():  # PyAV's own ALSA looks for it where PyAV was built
        os.environ.setdefault("ALSA_CONFIG_PATH", str(_ALSA))
    return name, {"format": "alsa"}


def _camera(text: str) -> tuple[str, dict[str, Any]]:
    number = text.removeprefix("webcam:")
    if not number.isdigit():
        raise UsageError(f"{text} names no camera", "give a number, as in webcam:0")
    if sys.platform == "darwin":
        return number, {"format": "avfoundation"}
    if sys.platform == "win32":
        return f"video={_device('video', int(number))}", {"format": "dshow"}
    return f"/dev/video{number}", {"format": "v4l2"}


def _device(kind: str, number: int) -> str:
    """The name of a camera or microphone on Windows, where only names open one.

    Raises:
        WorkError: no such device, or PyAV cannot list them.
    """
    if not hasattr(av, "enumerate_input_devices"):
        raise WorkError("this PyAV cannot list cameras and microphones", "pip install -U av")
    found = [device.name for device in av.enumerate_input_devices("dshow") if kind in device.media_types]
    if number >= len(found):
        raise WorkError(f"no {kind} device {number} on this machine", f"there are: {', '.join(found) or 'none'}")
    return str(found[number])
