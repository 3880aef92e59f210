"""The stress table: right figures for answers that are known, each condition's promise, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from emoje_edge import EMOTIONS, Recognizer
from emoje_edge.cli.evaluate import command as evaluate
from emoje_edge.engine.weights import copy
from emoje_edge.errors import UsageError
from emoje_edge.evaluation.companions import Companions, read_companions, unseen
from emoje_edge.evaluation.stress import base_modality, choose, markdown, stress, with_engines
from emoje_edge.evaluation.stress_conditions import AGREEING, EMPTY, OWN, VARYING, Condition, Given, catalogue
from emoje_edge.modality import Mask, Modality
from emoje_edge.shipped import engines_of
from emoje_edge.training.datasets import Corpus, Options, Sample, open_dataset
from emoje_edge.training.datasets.ravdess import with_words
from emoje_edge.utterance_emotion import UtteranceEmotion

LINES = [("I am so happy!", "joy"), ("I hate you!", "anger"), ("It is on the table.", "neutral")]
RATE = 16_000


def corpus(dialogues: int = 6) -> Corpus:
    samples = [
        Sample(dialogue=f"d{d}", index=i, label=EMOTIONS.index(e), speaker="AB"[i % 2], text=words)
        for d in range(dialogues)
        for i, (words, e) in enumerate(LINES)
    ]
    return Corpus("made", EMOTIONS, tuple(samples))


class Scripted:
    """Answers by rule: right from words, but believes any sound to be fear and weighs it by its loudness."""

    labels = EMOTIONS

    def recognize(self, *, text=None, audio=None, pose=None, speaker=None, state=None):  # type: ignore[no-untyped-def]
        emotion = dict(LINES)[text] if audio is None else "fear"
        share = 0.0 if audio is None else float(np.abs(audio[0]).max())
        return UtteranceEmotion(
            "", 0, 1, speaker, emotion, {emotion: 1.0}, ("text",), {"text": 1 - share, "audio": share}, {}
        )


def companions(tmp_path: Path) -> Companions:
    """One voice an emotion, one motion, no clips."""
    voices = {e: {"actor17": [np.full(8000, 0.1 * i, np.float32)]} for i, e in enumerate(EMOTIONS)}
    motions = {"joy": [np.random.default_rng(0).normal(1, 0.1, (20, 13, 3)).astype(np.float32)]}
    return Companions(tmp_path, voices=voices, motions=motions)


def test_figures_of_answers_that_are_known(tmp_path: Path) -> None:
    def loud(s: Sample, g: np.random.Generator) -> Given:
        snr = float(g.uniform(-10, 30))
        return Given({Modality.AUDIO: np.full(800, (snr + 10) / 80, np.float32)}, snr)

    chosen, _ = choose(catalogue(Modality.TEXT, companions(tmp_path)), "silence,agreeing-motion")
    chosen.append(Condition("loud", "the louder the better", VARYING, (Modality.AUDIO,), loud))
    report = stress(Scripted(), corpus(), Modality.TEXT, chosen, engines="none")  # type: ignore[arg-type]
    alone, silence, motion, varying = report.rows
    assert (alone.weighted_f1, alone.uar, alone.change) == (1.0, 1.0, 0.0)
    # the rule takes any sound, also silence, for fear: always wrong
    assert (silence.weighted_f1, silence.change, silence.alone) == (0.0, -1.0, 1.0)
    assert silence.change_interval == (-1.0, -1.0)
    assert silence.weights == {"text": 1.0, "audio": 0.0, "pose": 0.0}
    # only joy has a motion: counted there, and there only
    assert (motion.utterances, motion.weighted_f1, motion.kind) == (6, 1.0, AGREEING)
    assert varying.follows == pytest.approx(1.0)
    assert report.worst is silence
    assert json.loads(json.dumps(report.to_dict()))["worst"] == {"condition": "silence", "change": -1.0}
    assert "| digital silence | 0.000 |" in markdown(report)


def test_answers_that_are_withheld_count_as_wrong(tmp_path: Path) -> None:
    class Silent(Scripted):
        def recognize(self, **given):  # type: ignore[no-untyped-def]
            return UtteranceEmotion("", 0, 1, None, None, {}, (), {}, {})

    chosen, _ = choose(catalogue(Modality.TEXT, companions(tmp_path)), "silence")
    report = stress(Silent(), corpus(), Modality.TEXT, chosen, engines="none")  # type: ignore[arg-type]
    assert [(r.answered, r.weighted_f1, r.uar) for r in report.rows] == [(0.0, 0.0, 0.0)] * 2


@pytest.mark.parametrize("base", list(Modality))
def test_every_condition_gives_what_it_says(base: Modality, tmp_path: Path) -> None:
    found = companions(tmp_path)
    anger = corpus().samples[1]
    for condition in catalogue(base, found):
        assert base not in condition.adds
        if condition.lacks or condition.kind == OWN:
            continue
        given = condition.make(anger, np.random.default_rng(0))
        assert set(given.features) <= set(condition.adds), condition.name
        if condition.name == "agreeing-voice":
            assert given.features[Modality.AUDIO][0] == np.float32(0.1 * EMOTIONS.index("anger"))
        if condition.name == "neutral-voice":
            assert given.features[Modality.AUDIO][0] == np.float32(0.1 * EMOTIONS.index("neutral"))
        if condition.name == "other-voice":
            assert given.features[Modality.AUDIO][0] != np.float32(0.1 * EMOTIONS.index("anger"))
        if condition.kind == EMPTY and condition.name != "both-unrelated":
            assert given.features, condition.name
        assert (given.snr is not None) == (condition.kind == VARYING and bool(given.features))


def test_a_speaker_keeps_one_voice() -> None:
    voices = {e: {f"actor{a}": [np.full(9, a, np.float32)] for a in (17, 18, 19, 20)} for e in EMOTIONS}
    condition = next(
        c for c in catalogue(Modality.TEXT, Companions(Path(), voices=voices)) if c.name == "agreeing-voice"
    )
    heard = {}
    for s in corpus(20).samples:
        value = condition.make(s, np.random.default_rng()).features[Modality.AUDIO][0]
        assert heard.setdefault((s.dialogue, s.speaker), value) == value
    assert len(set(heard.values())) == 4


def test_what_is_refused(tmp_path: Path) -> None:
    conditions = catalogue(Modality.TEXT, companions(tmp_path))
    with pytest.raises(UsageError, match="did you mean 'music'"):
        choose(conditions, "musik")
    with pytest.raises(UsageError, match="signers: no folder"):
        choose(conditions, "signers")
    chosen, lacking = choose(conditions, None)
    assert chosen[0].name == "alone"
    assert "signers" in lacking
    assert "signers" not in {c.name for c in chosen}
    with pytest.raises(UsageError, match="made brings text, not pose"):
        base_modality(corpus(), Mask.parse("pose"))
    with pytest.raises(UsageError, match="one modality"):
        base_modality(corpus(), Mask.parse("text,pose"))
    vectors = Sample("d", 0, 0, features={Modality.AUDIO: np.zeros((1, 768), np.float32)})
    with pytest.raises(UsageError, match="computed elsewhere"):
        base_modality(Corpus("vectors", EMOTIONS, (vectors,)), None)
    trained = Corpus("ravdess", EMOTIONS, (Sample("a", 0, 0, group="actor03"),))
    with pytest.raises(UsageError, match="trained on all of this"):
        unseen(trained)
    with pytest.raises(UsageError, match="no recording"):
        read_companions(tmp_path, speech=tmp_path)


def write_meld(folder: Path) -> Path:
    folder.mkdir()
    rows = [f'"{w}",{"AB"[i % 2]},{e},{d},{i}' for d in range(4) for i, (w, e) in enumerate(LINES)]
    text = "\n".join(["Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID", *rows]) + "\n"
    for split in ("train", "dev"):
        (folder / f"{split}_sent_emo.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_command_on_the_engines_that_ship(tmp_path: Path) -> None:
    root = write_meld(tmp_path / "meld")
    arguments = ["--stress", "-d", "meld", "--root", str(root), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(evaluate, [*arguments, "--conditions", "hiss-40,still-body"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    for words in ("hiss at −40 dB", "body that stands or sits still", "words alone"):
        assert words in result.stdout
    report = json.loads((tmp_path / "out" / "stress.json").read_text(encoding="utf-8"))
    rows = {r["condition"]: r for r in report["rows"]}
    assert list(rows) == ["alone", "hiss-40", "still-body"]
    assert [r["utterances"] for r in rows.values()] == [12] * 3  # dev alone
    assert rows["alone"]["weights"]["text"] == pytest.approx(1)
    assert len(report["engines"]) == 12
    with pytest.raises(UsageError, match="unknown condition 'hiss'"):
        CliRunner().invoke(evaluate, [*arguments, "--conditions", "hiss"], catch_exceptions=False)
    with pytest.raises(UsageError, match="--conditions without --stress"):
        CliRunner().invoke(evaluate, [*arguments[1:], "--conditions", "hiss"], catch_exceptions=False)


def test_a_companion_that_no_engine_takes_in_is_not_called_harmless(tmp_path: Path) -> None:
    """Engines for words, and for words and sound: a body beside them would be left out, and cost nothing."""
    shipped, root = engines_of("small"), write_meld(tmp_path / "meld")
    copy([shipped / "text", shipped / "text+audio"], tmp_path / "engines")
    with Recognizer(engine_dir=tmp_path / "engines", threads=1, words="off") as recognizer:
        conditions = with_engines(catalogue(Modality.TEXT, companions(tmp_path)), Modality.TEXT, recognizer)
    chosen, lacking = choose(conditions, None)
    assert lacking["still-body"] == "no engine of text,pose"
    assert lacking["both-agree"] == "no engine of text,audio,pose"
    assert "neutral-voice" in {c.name for c in chosen}
    asked = ["-d", "meld", "--root", str(root), "--stress", "--conditions", "still-body"]
    with pytest.raises(UsageError, match="still-body: no engine of text,pose"):
        CliRunner().invoke(evaluate, [*asked, "--model", str(tmp_path / "engines")], catch_exceptions=False)


def test_recordings_of_the_data_sets(shared_data: Path) -> None:
    """What is read is what was never trained on; voices keep their words."""
    options = Options(samples=True)
    voices = unseen(open_dataset("ravdess", shared_data / "ravdess", options=options))
    assert {s.group for s in voices.samples} == {"actor17", "actor18", "actor19", "actor20"}
    assert base_modality(voices, None) is Modality.AUDIO
    one = with_words(voices.keep(lambda s: s.dialogue == "03-01-05-02-02-01-17"))
    chosen, _ = choose(catalogue(Modality.AUDIO, Companions(shared_data)), "own-words")
    given = chosen[1].make(one.samples[0], np.random.default_rng(0))
    assert given.features == {Modality.TEXT: "Dogs are sitting by the door."}
    with Recognizer(threads=1) as recognizer:
        report = stress(recognizer, one, Modality.AUDIO, chosen, engines="")
    assert [(r.condition, r.kind, r.utterances) for r in report.rows] == [("alone", "alone", 1), ("own-words", OWN, 1)]
    assert report.rows[0].weights == pytest.approx({"text": 0, "audio": 1, "pose": 0}, abs=1e-4)
    assert report.rows[1].weights["text"] > 0
