import logging
import threading

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.perception.bodies.estimator import Body
from emoje_edge.perception.bodies.worker import PoseWorker
from emoje_edge.perception.loudness import Loudness
from emoje_edge.perception.media import AudioBlock, VideoFrame
from emoje_edge.perception.perceive import _Run, perceive
from emoje_edge.perception.segmentation import Cues, Utterance, Windows
from emoje_edge.perception.sound_buffer import SoundBuffer
from emoje_edge.perception.text import Tokenizer
from emoje_edge.perception.voice_activity import VoiceActivity
from emoje_edge.shipped import TOKENIZER

from .conftest import tone

TEXT, AUDIO, POSE = Modality.TEXT, Modality.AUDIO, Modality.POSE


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer(TOKENIZER)


class Walker:
    """An estimator as a user may plug one in: a body in the middle, whose head walks to the right with time."""

    closed, in_view = 0, 1

    def estimate(self, pixels, time):
        height, width = pixels.shape[:2]
        joints = np.ones((13, 3), np.float32)
        joints[:, 0] = 0.5 * width / height + np.array([0, 1, -1, 2, -2, 2, -2, 1, -1, 1, -1, 1, -1]) / 10
        joints[:, 1] = 0.5 + np.array([-3, -2, -2, 0, 0, 1, 1, 1, 1, 3, 3, 4, 4]) / 10
        joints[0, 0] += 0.01 * time
        return (Body(1, joints),)

    def close(self):
        Walker.closed += 1


class Nobody(Walker):
    def estimate(self, pixels, time):
        return ()


def _srt(path, *cues):
    path.write_text("".join(f"{i}\n{a} --> {b}\n{text}\n\n" for i, (a, b, text) in enumerate(cues)))
    return path


def _check(utterance):
    for modality, feature in utterance.features.items():
        if modality is TEXT:
            assert feature.dtype == np.int64
            assert 0 < feature.size <= 32
        else:
            assert feature.dtype == np.float32
            assert np.isfinite(feature).all()
            limit, shape = ((768, (64,)), (96, (13, 3)))[modality is POSE]
            assert 0 < len(feature) <= limit
            assert feature.shape[1:] == shape
    assert utterance.start < utterance.end
    assert utterance.skeleton.shape == (utterance.skeleton_times.size, 13, 3)
    assert ((utterance.skeleton_times >= utterance.start) & (utterance.skeleton_times < utterance.end)).all()


@pytest.mark.parametrize(
    ("name", "masks", "aspect"),
    [
        ("face_recognition_short_hamilton.mp4", {"audio,pose", "audio"}, 16 / 9),
        ("liveportrait_d13.mp4", {"pose"}, 9 / 16),
        ("openpose_video.avi", {"audio,pose", "audio", "pose"}, 16 / 9),
        ("intel_asl/again.mkv", {"pose"}, 4 / 3),
    ],
)
def test_real_clips(shared_data, tokenizer, name, masks, aspect):
    found = list(perceive(shared_data / "video" / name, tokenizer=tokenizer, pose_fps=4))
    assert found
    assert {str(u.mask) for u in found} <= masks
    assert [u.start for u in found] == sorted(u.start for u in found)
    for utterance in found:
        _check(utterance)
        assert utterance.aspect == pytest.approx(aspect, abs=0.01)
        assert utterance.speaker is None
        assert (POSE in utterance.features) <= (utterance.latency_ms["pose"] > 0)


def test_everything_at_once(clip, tokenizer, tmp_path):
    path = clip("all.mkv", seconds=4.0, sound=tone(4.0))
    _srt(
        tmp_path / "all.srt",
        ("00:00:00,500", "00:00:01,500", "ROSS: Hi, how are you?"),
        ("00:00:01,000", "00:00:03,000", "RACHEL: Fine!"),
        ("00:00:09,000", "00:00:10,000", "after the end"),
    )
    read = []
    first, second = perceive(path, tokenizer=tokenizer, estimator=Walker, progress=read.append)
    assert (first.speaker, first.text, first.start, first.end) == ("ROSS", "Hi, how are you?", 0.5, 1.5)
    assert second.speaker == "RACHEL"
    assert str(first.mask) == str(second.mask) == "text,audio,pose"
    assert len(first.features[AUDIO]) == pytest.approx(98, abs=2)
    assert len(second.features[POSE]) == pytest.approx(25, abs=1)
    assert first.skeleton_times == pytest.approx(np.arange(7, 19) * 0.08, abs=0.01)
    assert np.abs(first.skeleton[:, 1:, :2].mean(axis=1) - 0.5).max() < 0.2
    assert set(first.latency_ms) == {"pose", "audio", "text"}
    assert read == sorted(read)
    assert read[-1] == pytest.approx(4.0, abs=0.2)
    for utterance in (first, second):
        _check(utterance)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [("text", {TEXT}), ("audio,text", {TEXT, AUDIO}), ("pose,text", {TEXT, POSE}), ("all", {TEXT, AUDIO, POSE})],
)
def test_the_mask_limits_what_is_used(clip, tokenizer, tmp_path, mask, expected):
    path = clip("a.mkv", sound=tone(2.0))
    words = _srt(tmp_path / "words.srt", ("00:00:00,200", "00:00:01,800", "Hi there"))
    (utterance,) = perceive(path, mask, tokenizer=tokenizer, text=words, estimator=Walker)
    assert set(utterance.features) == expected


def test_embedded_words_and_without_text_windows(clip, tokenizer):
    cues = [(500, 1500, "0,0,Default,,0,0,0,,ROSS: Hi there")]
    path = clip("a.mkv", subtitles=cues)
    (utterance,) = perceive(path, tokenizer=tokenizer, estimator=Walker)
    assert (utterance.speaker, utterance.text) == ("ROSS", "Hi there")
    (utterance,) = perceive(path, "pose", estimator=Walker)
    assert (utterance.start, utterance.text) == (0.0, None)
    assert utterance.end == pytest.approx(1.96, abs=0.05)


def test_sound_alone(clip):
    voice = np.concatenate([np.zeros(16000, np.float32), tone(2.0), np.zeros(16000, np.float32)])
    (utterance,) = perceive(clip("a.m4a", pictures=False, sound=voice), detector=Loudness)
    assert (utterance.start, utterance.end) == pytest.approx((1, 3), abs=0.3)
    assert set(utterance.features) == {AUDIO}
    assert utterance.skeleton.shape == (0, 13, 3)


def test_nobody_in_the_picture_sets_the_mask(clip):
    voice = np.concatenate([np.zeros(16000, np.float32), tone(1.5)])
    found = list(perceive(clip("a.mkv", seconds=2.5, sound=voice), estimator=Nobody, detector=Loudness))
    assert [set(u.features) for u in found] == [{AUDIO}]
    (alone,) = perceive(clip("b.mkv", seconds=2.5), estimator=Nobody)
    assert alone.features == {}
    assert alone.mask is None


def test_somebody_silent_is_still_seen(clip):
    (utterance,) = perceive(clip("a.mkv", seconds=2.5, sound=np.zeros(40000, np.float32)), estimator=Walker)
    assert set(utterance.features) == {POSE}


def test_long_cue_keeps_its_times_and_fits_the_engine(clip, tokenizer, tmp_path):
    sound = np.concatenate([0.05 * tone(6.0), tone(4.0), 0.05 * tone(2.0)])
    path = clip("long.mkv", seconds=12.0, rate=10, sound=sound)
    words = _srt(tmp_path / "w.srt", ("00:00:00,000", "00:00:12,000", "a long speech " * 40))
    (utterance,) = perceive(path, tokenizer=tokenizer, text=words, estimator=Walker)
    assert (utterance.start, utterance.end) == (0, 12)
    _check(utterance)
    assert len(utterance.features[TEXT]) == 32
    assert len(utterance.features[POSE]) == 96
    # the loud four seconds are all in it
    level = utterance.features[AUDIO].max(axis=1)
    assert (level > (level.min() + level.max()) / 2).sum() == pytest.approx(400, abs=8)


def test_utterances_come_while_the_source_is_still_read(clip):
    path = clip("a.mkv", seconds=30.0, rate=10)
    read = []
    stream = perceive(path, estimator=Walker, progress=read.append)
    next(stream)
    assert read[-1] < 10
    stream.close()


def test_leaving_off_early_ends_the_worker(clip):
    before = Walker.closed
    stream = perceive(clip("a.mkv", seconds=20.0, rate=10), estimator=Walker)
    next(stream)
    stream.close()
    assert Walker.closed == before + 1
    assert not [thread for thread in threading.enumerate() if thread.name == "pose"]


def test_what_the_estimator_fails_with_is_raised(clip):
    class Broken(Walker):
        def estimate(self, pixels, time):
            raise ValueError("no such joint")

    with pytest.raises(WorkError, match="pose estimation failed: no such joint"):
        list(perceive(clip("a.mkv"), estimator=Broken))


def test_cut_off_file_gives_its_utterances_then_the_error(clip):
    path = clip("cut.mkv", seconds=16.0, rate=10)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = []
    with pytest.raises(WorkError, match="cut off"):
        found.extend(perceive(path, estimator=Walker))
    assert len(found) >= 3
    assert 6 < found[-1].end < 10
    for utterance in found:
        _check(utterance)


@pytest.mark.parametrize(
    ("mask", "sound", "message"),
    [("audio", False, "nothing for the mask audio"), ("text", True, "--text"), ("text,audio", False, "--mask pose")],
)
def test_nothing_that_the_mask_asks_for(clip, mask, sound, message):
    path = clip("a.mkv", sound=tone(1.0) if sound else None)
    with pytest.raises(WorkError, match=message):
        list(perceive(path, mask))


def test_arguments_that_do_not_fit(clip, tmp_path):
    path = clip("a.mkv", seconds=0.4)
    for options in ({"mask": "pose", "text": tmp_path / "a.srt"}, {"window": 20}, {"pose_fps": 0}, {"mask": "face"}):
        with pytest.raises(UsageError):
            list(perceive(path, estimator=Walker, **options))


def test_pose_alone_touches_neither_sound_nor_words(clip, tmp_path, caplog):
    path = clip("spoilt.mkv", seconds=2.0, sound=tone(2.0), spoil_sound=True)
    (tmp_path / "spoilt.srt").write_text("broken --> subtitles")
    with caplog.at_level(logging.WARNING):
        assert list(perceive(path, "pose", estimator=Walker))
        assert not caplog.records
        with pytest.raises(WorkError, match=r"spoilt\.srt, line 1"):
            list(perceive(path, "text,pose", estimator=Walker))
        list(perceive(path, "audio,pose", estimator=Walker))
        assert "damaged" in caplog.text


@pytest.mark.parametrize("kind", ["windows", "voice", "cues"])
def test_what_is_kept_does_not_grow(kind):
    segmenter = {
        "windows": Windows(),
        "voice": VoiceActivity(3.0, Loudness()),
        "cues": Cues([Utterance(10.0 * i, 10.0 * i + 2, text="Hi") for i in range(16)]),
    }[kind]
    worker = PoseWorker(Walker)
    run = _Run(segmenter, None if kind == "windows" else SoundBuffer(), worker, None)
    picture = np.zeros((8, 8, 3), np.uint8)
    block = np.concatenate([tone(0.25), np.zeros(4000, np.float32)])
    found, kept = [], []
    for half in range(160):
        if kind != "windows":
            run.take(AudioBlock(half / 2, block if (half // 20) % 2 else 0 * block))
        for step in range(5):
            run.take(VideoFrame(half / 2 + step / 10, picture))
        found += run.closed()
        sound = 0 if run._sound is None else run._sound.take(-1e9, 1e9).size / 16000
        kept.append(max(sound, worker.track.take(-1e9, 1e9).times.size / 10))
    found += run.rest(everything=False)
    worker.close()
    assert len(found) >= 7
    # s: an utterance, a window, and what the worker has still before it
    assert max(kept) < 20
