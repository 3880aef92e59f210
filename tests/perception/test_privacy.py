"""What the product promises of perception: nothing leaves the machine, no face, nothing that was not asked for."""

import json
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.perception.bodies.detector import find
from emoje_edge.perception.bodies.estimator import BlazePose
from emoje_edge.perception.bodies.networks import CROP_SIDE, shared_networks
from emoje_edge.perception.bodies.regions import crop
from emoje_edge.shipped import TOKENIZER
from tests.offline import missing, run_offline

from .conftest import SPEECH, tone

pytestmark = pytest.mark.skipif(bool(missing()), reason=str(missing()))

PERCEIVE = """
import json, sys
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.text import Tokenizer
source, mask, tokenizer = sys.argv[1:]
tokenizer = Tokenizer(tokenizer) if "pose" != mask else None
masks = [str(u.mask) for u in perceive(source, mask, tokenizer=tokenizer)]
print(json.dumps({"masks": masks, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


@pytest.fixture
def person(clip, portrait):
    """A clip with a person who moves, sound and words."""
    pictures = [np.roll(portrait, 4 * i, axis=1)[:, :512] for i in range(12)]
    cues = [(200, 1800, "0,0,Default,,0,0,0,,ROSS: Hi there")]
    return clip("person.mkv", size=(512, 600), rate=6, pictures=pictures, sound=tone(2.0), subtitles=cues)


def _perceive(person: Path, mask: str, folder: Path):
    tokenizer = TOKENIZER
    return run_offline([sys.executable, "-c", PERCEIVE, str(person), mask, str(tokenizer)], folder)


def test_nothing_is_reached(person, tmp_path):
    done = _perceive(person, "auto", tmp_path)
    assert done.code == 0, done.stderr
    assert done.reached == ()
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["masks"] == ["text,audio,pose"]
    assert not {"torch", "transformers", "onnx", "matplotlib", "cv2", "mediapipe", "jax", "scipy", "PIL"} & set(
        found["modules"]
    )


def test_words_are_recognised_without_a_network(tmp_path):
    pytest.importorskip("ctranslate2")
    code = """
import json, sys
from emoje_edge import Recognizer
texts = [event.text for event in Recognizer().stream(sys.argv[1])]
print(json.dumps({"texts": texts, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""
    done = run_offline([sys.executable, "-c", code, str(SPEECH / "two_turns.flac")], tmp_path)
    assert done.code == 0, done.stderr
    assert done.reached == ()
    found = json.loads(done.stdout)
    assert found["texts"] == ["I lost the keys to my house this morning.", "They were lying on the kitchen table."]
    assert not {"torch", "transformers", "tokenizers", "huggingface_hub", "faster_whisper"} & set(found["modules"])


def test_pose_alone_loads_no_tokenizer_and_writes_no_file(person, tmp_path):
    before = set(tmp_path.rglob("*"))
    done = _perceive(person, "pose", tmp_path)
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["masks"] == ["pose"]
    assert not {"regex", "pysubs2", "ctranslate2"} & set(found["modules"])
    assert {path.name for path in set(tmp_path.rglob("*")) - before} <= {"offline.c", "offline.so"}


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import av; av.open('http://192.0.2.1/a.mp4', timeout=1)",
    ],
)
def test_the_net_holds(code, tmp_path):
    """What the test above would miss must not exist: attempts from Python and from FFmpeg are seen."""
    done = run_offline([sys.executable, "-c", code], tmp_path)
    assert done.code != 0
    assert len(done.reached) >= 1
    assert any(place in " ".join(done.reached) for place in ("192.0.2.1", "example.org"))


def test_no_landmark_of_the_face_gets_out(portrait):
    """The head is one point between the ears; none of landmarks 0 to 10 can be told from what is returned."""
    with BlazePose() as estimator:
        (body,) = estimator.estimate(portrait, 0.0)
        points = all_landmarks(portrait, find(shared_networks(), portrait)[0].region)
    joints = body.joints[:, :2] * len(portrait)
    face, shoulders = points[:11], points[11:13]
    # pixels between the nearest joint and each landmark
    assert (np.linalg.norm(face[:, None] - joints[None], axis=-1).min(axis=1) > 4).all()
    # the shoulders, in contrast, are among what is returned, but for what the heatmap mends
    assert (np.linalg.norm(shoulders[:, None] - joints[None], axis=-1).min(axis=1) < 12).all()
    assert body.joints.shape == (13, 3)


def all_landmarks(picture, region):
    """What the network itself would tell of a body: [33, 2] in px."""
    points, _, _ = shared_networks().landmarks(crop(picture, region, CROP_SIDE)[None])
    m = region.matrix(CROP_SIDE)
    return points[0, :33, :2] @ m[:, :2].T + m[:, 2]


def test_an_estimator_holds_nothing_of_the_face(portrait):
    """All arrays that it keeps between two pictures: thirteen joints and what smooths fourteen points and two."""
    with BlazePose() as estimator:
        estimator.estimate(portrait, 0.0)
        (person,) = estimator._tracker._persons
        kept = [value for part in (person, person._body, person._crop) for value in vars(part).values()]
        lengths = {len(value) for value in kept if isinstance(value, np.ndarray)}
    assert lengths == {13, 14, 2, 7}  # joints; ears and body; the crop and its speed; bones


def test_an_estimator_keeps_no_picture(portrait):
    with BlazePose() as estimator:
        picture = portrait.copy()
        kept = weakref.ref(picture)
        estimator.estimate(picture, 0.0)
        del picture
        assert kept() is None


def test_masks_without_text_leave_subtitles_alone(person, tmp_path):
    person.with_suffix(".srt").write_text("broken --> subtitles")
    done = _perceive(person, "audio,pose", tmp_path)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["masks"]
    assert _perceive(person, "auto", tmp_path).code != 0
