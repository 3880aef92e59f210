"""The recogniser on arrays: engines by modality, the dialogue's state, and what an empty utterance gives."""

from pathlib import Path

import numpy as np
import pytest

from emoje_edge import EMOTIONS, Mask, Recognizer, UsageError, WorkError
from emoje_edge.babble import babble
from emoje_edge.dialogue import DialogueState
from emoje_edge.emotion import IN_CONVERSATION, conversational
from emoje_edge.engine.session import find_engine
from emoje_edge.engine.temperatures import set_temperature
from emoje_edge.engine.weights import copy
from emoje_edge.evaluation.conditions import hiss
from emoje_edge.modality import Modality

RATE = 16_000
VOICE = babble(1.5, pitch=150.0)


def body(frames: int = 30) -> np.ndarray:
    """Somebody who stands and sways: [T, 13, 3] in picture heights."""
    sway = 0.02 * np.sin(np.arange(frames) / 3)
    points = np.ones((frames, 13, 3), np.float32)
    points[:, 0, :2] = [0.5, 0.1]
    for joint, (x, y) in enumerate(((0.1, 0.25), (0.13, 0.4), (0.14, 0.5), (0.07, 0.55), (0.07, 0.75), (0.07, 0.95))):
        for side, sign in ((1, 1), (2, -1)):
            points[:, 2 * joint + side, 0] = 0.5 + sign * x + sway
            points[:, 2 * joint + side, 1] = y
    return points


def carried(mask: Mask, out: Path) -> Path:
    """The folder of a copy of the engine that ships, with the weights that it shares with others."""
    source = find_engine(mask, "onnx")
    assert source is not None
    copy([source], out)
    return out / mask.folder


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def test_each_set_of_modalities_has_its_engine_and_its_weights(recognizer: Recognizer) -> None:
    given = {"text": "I can't believe it!", "audio": (VOICE, RATE), "pose": body()}
    for mask in Mask.all():
        event = recognizer.recognize(**{m.value: given[m.value] for m in mask}, state=DialogueState())
        assert event.modalities == tuple(m.value for m in mask)
        assert tuple(event.weights) == event.modalities
        assert sum(event.weights.values()) == pytest.approx(1, abs=1e-4)
        assert tuple(event.probabilities) == EMOTIONS
        assert sum(event.probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert event.emotion == max(event.probabilities, key=event.probabilities.__getitem__)
        assert event.latency_ms["engine"] > 0
    assert len({id(session) for session in recognizer._pool.sessions.values()}) == 7


def test_sessions_are_opened_once(recognizer: Recognizer) -> None:
    recognizer.recognize(text="again", state=DialogueState())
    first = recognizer._pool.sessions[Mask.parse("text")]
    recognizer.recognize(text="and again", state=DialogueState())
    assert recognizer._pool.sessions[Mask.parse("text")] is first


def test_the_dialogue_goes_on_across_engines(recognizer: Recognizer) -> None:
    dialogue = DialogueState()
    recognizer.recognize(text="I hate you, get out!", speaker="ROSS", state=dialogue)
    after_text = dialogue.vector
    assert after_text is not None
    assert np.abs(after_text).max() > 0
    recognizer.recognize(pose=body(), speaker="RACHEL", state=dialogue)
    assert dialogue.speaker == "RACHEL"
    # a body does not move what words have left (decision 6), and the next words go on from there
    assert np.array_equal(dialogue.vector, after_text)
    recognizer.recognize(text="Why?", speaker="ROSS", state=dialogue)
    assert not np.array_equal(dialogue.vector, after_text)
    # what was said before is heard in what comes after
    alone = recognizer.recognize(text="Okay.", state=DialogueState())
    later = recognizer.recognize(text="Okay.", state=dialogue)
    assert alone.probabilities != later.probabilities


def test_the_same_utterances_give_the_same_answers(recognizer: Recognizer) -> None:
    def talk() -> list[dict[str, float]]:
        dialogue = DialogueState()
        words = ("Hello.", "Oh no!", "What?")
        return [
            recognizer.recognize(text=w, speaker=s, state=dialogue).probabilities
            for w, s in zip(words, "ABA", strict=True)
        ]

    assert talk() == talk()


def test_speaker_turns() -> None:
    dialogue = DialogueState()
    assert dialogue.turn("ROSS") == 0.5
    dialogue.speaker = "ROSS"
    assert dialogue.turn("ROSS") == 0.0
    assert dialogue.turn("RACHEL") == 1.0
    assert dialogue.turn(None) == 0.5


@pytest.mark.parametrize(
    ("nothing", "reason"),
    [
        ({}, "nothing"),
        ({"text": "  "}, "no_words"),
        ({"text": "Xqzv bvkrt zzwq pfghx."}, "unknown_words"),
        ({"audio": (np.zeros(RATE, np.float32), RATE)}, "silence"),
        ({"audio": (np.zeros(0, np.float32), RATE)}, "silence"),
        ({"audio": (hiss(2.0, np.random.default_rng(0), level=-30.0), RATE)}, "no_speech"),
        ({"pose": np.zeros((20, 13, 3), np.float32)}, "nobody_seen"),
        (
            {"text": "", "audio": (np.zeros(RATE, np.int16), RATE), "pose": np.zeros((0, 13, 3), np.float32)},
            "silence",
        ),
        ({"text": "Xqzv bvkrt.", "audio": (hiss(2.0, np.random.default_rng(0), level=-30.0), RATE)}, "unknown_words"),
    ],
)
def test_nothing_gives_no_emotion_and_leaves_the_dialogue_alone(
    recognizer: Recognizer, nothing: dict, reason: str
) -> None:
    dialogue = DialogueState()
    recognizer.recognize(text="I am so glad!", speaker="ROSS", state=dialogue)
    before = dialogue.vector
    event = recognizer.recognize(**nothing, speaker="RACHEL", state=dialogue)
    assert (event.emotion, event.probabilities, event.modalities, event.weights) == (None, {}, (), {})
    assert (event.confidence, event.reason) == (None, reason)
    assert event.to_dict()["emotion"] is None
    assert dialogue.vector is before
    assert dialogue.speaker == "ROSS"


def test_what_cannot_be_understood_reaches_no_engine(recognizer: Recognizer) -> None:
    """Words beside a hiss are answered as the words alone are, and a voice behind garbled words as the voice alone."""
    words = {"text": "I can't believe it!"}
    noise = (hiss(2.0, np.random.default_rng(0), level=-30.0), RATE)
    alone, beside = recognizer.recognize(**words), recognizer.recognize(**words, audio=noise)
    assert beside.probabilities == alone.probabilities
    assert beside.modalities == ("text",)
    voice = {"audio": (VOICE, RATE)}
    alone, beside = recognizer.recognize(**voice), recognizer.recognize(**voice, text="Xqzv bvkrt zzwq.")
    assert beside.probabilities == alone.probabilities
    assert beside.modalities == ("audio",)


def test_an_answer_that_is_not_sure_enough_is_withheld() -> None:
    words = "I can't believe it!"
    with Recognizer("text") as free:
        event = free.recognize(text=words)
    assert event.confidence == max(event.probabilities.values())
    assert event.reason is None
    with Recognizer("text", min_confidence=event.confidence) as just:
        assert just.recognize(text=words).emotion == event.emotion
    with Recognizer("text", min_confidence=event.confidence + 1e-6) as strict:
        withheld = strict.recognize(text=words)
    assert (withheld.emotion, withheld.reason, withheld.confidence) == (None, "not_sure", event.confidence)
    assert withheld.probabilities == event.probabilities
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match="0 to 1"):
            Recognizer("text", min_confidence=wrong)


def test_without_context_every_utterance_stands_alone(recognizer: Recognizer) -> None:
    with Recognizer("text", context=False) as alone:
        dialogue = DialogueState()
        rows = [alone.recognize(text=w, speaker="ROSS", state=dialogue) for w in ("I hate you!", "Okay.", "Okay.")]
    assert rows[1].probabilities == rows[2].probabilities
    assert rows[1].probabilities == recognizer.recognize(text="Okay.").probabilities
    assert dialogue == DialogueState()


def test_a_temperature_flattens_and_an_engine_without_one_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mask = Mask.parse("text")
    engine = carried(mask, tmp_path)
    answers = {}
    for temperature in (None, 1.0, 3.0):
        set_temperature(engine, temperature)
        caplog.clear()
        with Recognizer(mask, engine_dir=engine) as tempered:
            answers[temperature] = tempered.recognize(text="I am so happy!")
        assert ("not calibrated" in caplog.text) == (temperature is None)
    assert answers[None].probabilities == answers[1.0].probabilities
    assert answers[3.0].emotion == answers[1.0].emotion
    assert answers[3.0].confidence < answers[1.0].confidence
    logits = {t: np.log(list(answers[t].probabilities.values())) for t in (1.0, 3.0)}
    assert np.ptp(logits[1.0] - 3.0 * logits[3.0]) == pytest.approx(0, abs=1e-3)


def test_text_is_one_string_of_what_can_be_read(recognizer: Recognizer) -> None:
    for wrong in (b"hello", ["hello"], 42):
        with pytest.raises(UsageError, match="text as"):
            recognizer.recognize(text=wrong)  # type: ignore[arg-type]
    plain = recognizer.recognize(text="I hate you!")
    assert recognizer.recognize(text="\u202aI hate\u200b you!\ud83d").probabilities == plain.probabilities


def test_what_is_outside_the_mask_is_refused() -> None:
    with Recognizer("pose") as pose_only:
        assert pose_only.recognize(pose=body()).modalities == ("pose",)
        with pytest.raises(UsageError, match="text for a recogniser of pose"):
            pose_only.recognize(text="hello")
        with pytest.raises(UsageError, match="13, 3"):
            pose_only.recognize(pose=np.zeros((5, 33, 3), np.float32))
    with pytest.raises(UsageError, match="did you mean 'pose'"):
        Recognizer("pos")
    with pytest.raises(UsageError, match="1 to 120"):
        Recognizer("pose", pose_fps=float("nan"))


def test_a_device_with_one_engine_uses_what_it_has(tmp_path: Path) -> None:
    """Only text+pose was carried there: it serves when one of the two is present as well, and is what `auto` means."""
    mask = Mask.parse("text,pose")
    carried(mask, tmp_path)
    for engine_dir in (tmp_path, tmp_path / mask.folder):
        with Recognizer(engine_dir=engine_dir) as recognizer:
            assert recognizer.mask == mask
            event = recognizer.recognize(pose=body())
            assert event.modalities == ("pose",)
            assert event.weights["pose"] == pytest.approx(1, abs=1e-4)
    with pytest.raises(WorkError, match="emoje-edge build --mask audio"):
        Recognizer("audio", engine_dir=tmp_path)


def test_engines_of_two_models_do_not_share_a_dialogue(recognizer: Recognizer) -> None:
    dialogue = DialogueState(vector=np.zeros((1, 3), np.float32))
    with pytest.raises(WorkError, match="another model"):
        recognizer.recognize(text="hello", state=dialogue)


def test_what_was_said_and_not_understood_is_read_as_in_a_conversation() -> None:
    """The same voice, its odds moved by how often each emotion is in conversations, and by nothing else."""
    with Recognizer("audio", words="off") as recognizer:
        feature = recognizer._features(Modality.AUDIO, VOICE)
        assert feature is not None
        found = [
            recognizer._decide(
                {Modality.AUDIO: feature[0]},
                DialogueState(),
                quality={Modality.AUDIO: np.ones(2, np.float32)},
                lacks={},
                source="",
                span=(0.0, 1.0),
                speaker=None,
                latency_ms={},
                not_heard=not_heard,
            ).probabilities
            for not_heard in (False, True)
        ]
    moved = {e: found[1][e] / found[0][e] for e in EMOTIONS}
    for e in EMOTIONS:
        assert moved[e] / moved["neutral"] == pytest.approx(IN_CONVERSATION[e] / IN_CONVERSATION["neutral"])
    assert conversational(("happy", "sad")) == [0.0, 0.0]
