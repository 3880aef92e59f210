"""The main job reaches no network, shows no face, and reads nothing outside its mask."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av

from emoje_edge import EMOTIONS
from emoje_edge.report.skeleton_video import FOOT
from emoje_edge.report.writers import STAGES

# Loaded by the interpreter before anything else: every look-up of a name and every connection that is not to this
# machine's own sockets is written down, and refused.
GUARD = """
import os, socket

def _told(what, address):
    with open(os.environ["EMOJE_TEST_LEAKS"], "a") as file:
        file.write(f"{what} {address!r}\\n")
    raise OSError(f"{what} {address!r} in a test that allows none")

def _connect(self, address, _method="connect"):
    if self.family == getattr(socket, "AF_UNIX", None):
        return getattr(_Socket, _method)(self, address)
    _told(_method, address)

_Socket = socket.socket.__mro__[1]
socket.socket.connect = _connect
socket.socket.connect_ex = lambda self, address: _connect(self, address, "connect_ex")
socket.socket.sendto = lambda self, data, *rest: _told("sendto", rest[-1])
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "create_connection"):
    setattr(socket, _name, lambda *args, _name=_name, **options: _told(_name, args))
"""


def infer_watched(folder: Path, *arguments: object) -> tuple["subprocess.CompletedProcess[str]", str]:
    """Run infer under the guard, and without any network where the system lets us: the process and the leaks."""
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    leaks = folder / "leaks"
    leaks.touch()
    path = os.pathsep.join([str(folder / "guard"), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "emoje_edge", "infer", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": path, "EMOJE_TEST_LEAKS": str(leaks)}
    done = subprocess.run([*_without_network(), *command], capture_output=True, text=True, env=environment, timeout=300)
    return done, leaks.read_text()


def _without_network() -> list[str]:
    # a name space of its own has no interface but an idle loopback: C++ code that connects fails as well
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    command = [unshare, "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []


def test_the_guard_sees_what_it_should(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    tries = (
        "import socket, urllib.request\n"
        "there = ('192.0.2.1', 80)\n"
        "for go in (lambda: socket.create_connection(there, 1), lambda: socket.gethostbyname('example.org'),\n"
        "           lambda: socket.socket().connect(there), lambda: urllib.request.urlopen('http://192.0.2.1')):\n"
        "    try: go()\n"
        "    except OSError: continue\n"
        "    raise SystemExit(3)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "EMOJE_TEST_LEAKS": str(tmp_path / "leaks")}
    assert subprocess.run([sys.executable, "-c", tries], env=environment).returncode == 0
    assert len((tmp_path / "leaks").read_text().splitlines()) == 4


def test_nothing_contacts_the_network_and_no_pixel_or_landmark_comes_out(clip: Path, tmp_path: Path) -> None:
    video, picture = tmp_path / "skeleton.mp4", tmp_path / "timeline.png"
    done, leaks = infer_watched(tmp_path, clip, "--render", video, "--timeline", picture)
    assert (done.returncode, done.stderr, leaks) == (0, "", "")
    assert done.stdout.count("\n") == 4
    for line in done.stdout.splitlines():
        _nothing_but_the_agreed_numbers(json.loads(line))
    _no_pixel_of(clip, video)
    written = {p.name for p in tmp_path.iterdir()} - {"guard", "leaks"}
    assert written == {"skeleton.mp4", "timeline.png"}


def _nothing_but_the_agreed_numbers(row: dict) -> None:
    """A closed set of keys at every level: there is no place for a landmark in it."""
    scalars = {
        **dict.fromkeys(("source", "speaker", "text", "text_from", "emotion", "model"), str),
        **dict.fromkeys(("start", "end", "confidence"), float),
        "utterance": int,
    }
    shares = {"probabilities": EMOTIONS, "weights": ("text", "audio", "pose"), "latency_ms": STAGES}
    assert row.keys() == scalars.keys() | shares.keys() | {"modalities", "text_confidence", "reason"}
    for key, kind in scalars.items():
        assert isinstance(row[key], kind)
    for key, names in shares.items():
        assert set(row[key]) <= set(names)
        assert all(isinstance(value, float) for value in row[key].values())
    assert set(row["modalities"]) <= {"text", "audio", "pose"}


def _no_pixel_of(source: Path, rendered: Path) -> None:
    """The drawing is black but for lines in its own colours: no grey or skin tone, and nothing inside the head."""
    with av.open(str(source)) as container:
        original = next(container.decode(video=0)).to_ndarray(format="rgb24")
    with av.open(str(rendered)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) > 50
    for frame in frames[::10]:
        field = frame[:-FOOT]
        assert (field.max(-1) < 24).mean() > 0.9
    assert (original.max(-1) < 24).mean() < 0.5


def test_a_pose_mask_reads_neither_sound_nor_words(tmp_path: Path, clip: Path) -> None:
    """Sound that no decoder takes and subtitles that no parser takes do not matter to it."""
    shutil.copy(clip, tmp_path / "talk.mp4")
    (tmp_path / "talk.srt").write_bytes(b"\xff\xfe broken")
    code = (
        "import av, sys\n"
        "from emoje_edge.perception import readers\n"
        "from emoje_edge.perception.cues import source\n"
        "def refuse(*args, **options): raise AssertionError('sound or words were read')\n"
        "readers.AudioReader.__init__ = refuse\n"
        "source.read_cues = source.embedded_cues = source.sidecar = refuse\n"
        "from emoje_edge.perception import perceive\n"
        "perceive.cues_of = refuse\n"
        "from emoje_edge.cli import main\n"
        "sys.argv = ['emoje-edge', 'infer', sys.argv[1], '--mask', 'pose']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "talk.mp4")], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    assert {tuple(row["modalities"]) for row in rows} <= {("pose",), ()}
    assert all(row["latency_ms"]["audio"] == row["latency_ms"]["text"] == 0 for row in rows)


def test_telemetry_is_off_before_onnxruntime_is_imported() -> None:
    code = (
        "import os, sys\n"
        "os.environ.pop('ORT_DISABLE_TELEMETRY', None)\n"
        "import emoje_edge.recognizer\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "from emoje_edge.runtime import runtime\n"
        "runtime()\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
