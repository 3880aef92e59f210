"""The pipeline: a source or numpy arrays in, one emotion an utterance out.

    with Recognizer(mask="pose") as recognizer:
        for event in recognizer.stream("cam.mp4"):
            print(event.start, event.emotion)

An utterance in which nothing was said, heard or seen is told as such (`emotion` None, no modality): the timeline has
no hole, and no emotion is made up.  It does not touch the dialogue's state.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from emoje_edge.addresses import masked
from emoje_edge.characters import visible
from emoje_edge.dialogue import DialogueState
from emoje_edge.emotion import conversational
from emoje_edge.engine.pool import EnginePool
from emoje_edge.engine.utterance_inputs import engine_inputs, evidence
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.sound import checked_samples
from emoje_edge.perception.word_models import words_wanted
from emoje_edge.shapes import BANDS, POSE_RATE
from emoje_edge.understood import ABSENT, NOT_SURE, reason_for_no_emotion, reason_not_understood
from emoje_edge.utterance_emotion import UtteranceEmotion

if TYPE_CHECKING:
    from emoje_edge.live import Live
    from emoje_edge.perception.bodies.worker import Watch
    from emoje_edge.perception.perceive import Opened, Perceived
    from emoje_edge.perception.quality import Quality
    from emoje_edge.perception.text import Tokenizer
    from emoje_edge.perception.transcribe import Transcriber

_OF_33 = (
    "; of MediaPipe's 33: the middle of the ears 7 and 8, then [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28], "
    "with x times the picture's width and y times its height"
)


class Recognizer:
    """Recognises emotions with the engine of each utterance's modalities.  A context manager.

    Any number of threads may use one recogniser at once: what it holds (engines, tokenizer) does not change with a
    call.  A conversation's memory is the caller's: `stream` has its own for each source, `recognize` moves on the
    `DialogueState` that it is given, which belongs to one conversation and so to one thread at a time.

    Args:
        mask: modalities to use, e.g. `"text,pose"`; what is outside is neither decoded nor read.  `"auto"`: whatever
            the source has and there are engines for.
        model: whose engines: `"small"`, `"medium"` or the name of one that engines were built of here; None: small.
        engine_dir: a folder of engines instead; None: those of `model` that were built here, then the shipped ones.
        backend, fallback: as for `open_engine`.
        threads: of the engine (None: its own choice).
        pose_fps: frames a second in which the body is looked for.
        min_confidence: probability below which no emotion is named (`reason` "not_sure").
        pose: what finds the body: `"onnx"`, or `"mediapipe"`, the reference (an extra, one person).
        people: bodies to follow at most, 1 to 16.  With more than one each utterance is that of the body which moves
            while it is heard, and has rows of pose alone for everybody else in view.
        context: let what was said before bear on an utterance; else each is answered on its own.
        words: recognise what is said where there are no subtitles: `"auto"` with the shipped English model, where
            CTranslate2 is installed; `"off"`; or the name or folder of another Whisper model.
        language: ISO 639 code of what is spoken, for a multilingual model; None: found for each utterance.
        speakers: give who speaks without a name in the subtitles a letter, by the voice: `A`, `B`, …; it is heard
            against its own baseline then.  Wrong one time in six where two talk (docs/evidence/words.md).
        allow_http: `http(s)://` playlists and motion JPEG may be read, from the host that is named and no other.

    Raises:
        UsageError: an unknown mask, backend, model or language, or both a model and a folder of engines.
        WorkError: no engine for the mask, or an altered one; words were asked for and CTranslate2 is missing.
    """

    def __init__(
        self,
        mask: Mask | str = "auto",
        *,
        model: str | None = None,
        engine_dir: str | Path | None = None,
        backend: str = "onnx",
        fallback: bool = False,
        threads: int | None = None,
        pose_fps: float = POSE_RATE,
        min_confidence: float = 0.0,
        pose: str = "onnx",
        people: int = 1,
        context: bool = True,
        words: str | Path = "auto",
        language: str | None = None,
        speakers: bool = False,
        allow_http: bool = False,
    ) -> None:
        if not 1.0 <= pose_fps <= 120.0:
            raise UsageError(f"{pose_fps:g} pose frames a second", "give 1 to 120; 10 to 15 are enough for emotion")
        if not 0.0 <= min_confidence <= 1.0:
            raise UsageError(f"a least confidence of {min_confidence:g}", "give a probability from 0 to 1, as 0.5")
        from emoje_edge.perception.bodies.choice import pose_stage

        self._pose, self.people = pose_stage(pose, people), people
        self._tokens: Tokenizer | None = None
        self._transcriber: Transcriber | None = None
        self._opening = threading.Lock()
        self.pose_fps, self.context, self.min_confidence = pose_fps, context, min_confidence
        auto = not isinstance(mask, Mask) and mask.strip().lower() == "auto"
        self._pool = EnginePool(
            None if auto else Mask.parse(mask),
            model=model,
            engine_dir=engine_dir,
            backend=backend,
            fallback=fallback,
            threads=threads,
        )
        self.mask, self.auto = self._pool.mask, auto
        self.words, self.words_off = words_wanted(words, with_text=Modality.TEXT in self.mask), words == "off"
        self._language, self.speakers, self.allow_http = language, speakers, allow_http
        if self.words and (words != "auto" or language):
            self._listen()  # what was asked for by name shows now whether it is there
        # opened now, so that a missing or altered engine shows before minutes of perception
        manifest = self._pool.session(self.mask).manifest
        self.labels: tuple[str, ...] = manifest.labels
        self.model = manifest.model
        shapes = {tensor.name: tensor.shape for tensor in manifest.inputs}
        self._bands = int(shapes[Modality.AUDIO.value][2]) if Modality.AUDIO.value in shapes else BANDS

    def stream(
        self,
        source: str | Path | int,
        text: str | Path | None = None,
        *,
        encoding: str | None = None,
        partial: float | None = None,
    ) -> Generator[UtteranceEmotion, None, None]:
        """Utterances of a source in time order, each as soon as it is known.  Every call is a new dialogue.

        Args:
            source: a file; `0` or `"webcam:0"`, a camera; `"mic:default"`; an address such as `"rtsp://…"`; `"-"`.
            text: a subtitle file; None: a sidecar or the embedded subtitles, where there are any.
            encoding: of the subtitle file; None: found out, and told where it was not plain.
            partial: every so many seconds, yield also what is known of an utterance that is still open (`final` False).

        Raises:
            UsageError: no source; pictures and sound that a program has are pushed (`live`).
            WorkError: the source cannot be read; what was found before has been yielded.
        """
        with closing(self.follow(source, text, encoding=encoding, partial=partial)) as pairs:
            for _, event in pairs:
                yield event

    def live(self, **options: Any) -> Live:
        """A session that pictures, sound and words are pushed into: see `emoje_edge.live.Live` for the options."""
        from emoje_edge.live import Live

        return Live(self, **options)

    def follow(
        self,
        source: str | Path | int | Opened,
        text: str | Path | None = None,
        *,
        encoding: str | None = None,
        progress: Callable[[float], None] | None = None,
        watch: Watch | None = None,
        partial: float | None = None,
    ) -> Generator[tuple[Perceived, UtteranceEmotion], None, None]:
        """As `stream`, each with what was perceived (for drawing the skeleton).

        Args:
            source: as of `stream`, or one that is open already.
            progress: called with the time (s) up to which the source was read.
            watch: called in the pose thread with each picture's time (s), the bodies in it, and its width over height.
            partial: as of `stream`.
        """
        from emoje_edge.perception.live.stream import LiveStream, opened
        from emoje_edge.perception.perceive import perceive

        media: str | Path | Opened = opened(source, http=self.allow_http)
        name = masked(media if isinstance(media, (str, Path)) else str(media))
        dialogue = DialogueState()
        tokenizer = self._tokenizer() if Modality.TEXT in self.mask else None
        utterances = perceive(
            media,
            self.mask,
            tokenizer=tokenizer,
            text=text,
            encoding=encoding,
            pose_fps=self.pose_fps,
            people=self.people,
            estimator=self._pose,
            bands=self._bands,
            words=self._listen if self.words else None,
            progress=progress,
            watch=watch,
            partial=partial,
            voices=self.speakers,
        )
        with closing(
            cast("Generator[Perceived, None, None]", utterances)
        ):  # a caller who leaves off early ends the decoding and the pose thread
            for seen in utterances:
                if isinstance(media, LiveStream) and media.forgets(seen.start):
                    dialogue = DialogueState()
                memory = DialogueState() if seen.listening else dialogue
                event = self._decide(
                    seen.features,
                    memory if seen.final else copy.copy(memory),  # what is not over moves nothing on
                    quality=seen.quality,
                    lacks=seen.lacks,
                    not_heard=seen.words is not None and Modality.TEXT not in seen.features,
                    source=name,
                    span=(seen.start, seen.end),
                    speaker=seen.speaker,
                    latency_ms=seen.latency_ms,
                )
                live = media.status(seen.start, seen.end, self.pose_fps) if isinstance(media, LiveStream) else None
                yield seen, replace(event, live=live, person=seen.person, final=seen.final, **_said(seen))

    def recognize(
        self,
        *,
        text: str | None = None,
        audio: tuple[NDArray[Any], int] | None = None,
        pose: NDArray[Any] | None = None,
        speaker: str | None = None,
        state: DialogueState | None = None,
    ) -> UtteranceEmotion:
        """The emotion of one utterance given as arrays.

        Args:
            text: what was said.
            audio: samples and their rate, Hz: [N], [N, channels] or [channels, N]; int16, int32, uint8, or floats of
                full scale 1.
            pose: landmarks [T, 13, 3] at `pose_fps`, joints as in `emoje_edge.perception.skeleton.JOINTS`: x, y in one
                unit (pixels, or picture heights; y down) and visibility.
            speaker: who; two different names in a row of one conversation make a turn.
            state: the conversation so far, which moves on; None: an utterance that stands alone.

        Raises:
            UsageError: a modality outside the mask, text that is no string, or arrays of another shape.
        """
        if not isinstance(text, (str, type(None))):
            raise UsageError(f"text as {type(text).__name__}", "give what was said as one string")
        text = text and visible(text)
        sound = None if audio is None else checked_samples(audio)
        given = {Modality.TEXT: text, Modality.AUDIO: sound, Modality.POSE: pose}
        surplus = [m.value for m, value in given.items() if value is not None and m not in self.mask]
        if surplus:
            raise UsageError(f"{', '.join(surplus)} for a recogniser of {self.mask}", "open it with a mask that has it")
        features: dict[Modality, NDArray[Any]] = {}
        quality: dict[Modality, Quality] = {}
        latency: dict[str, float] = {}
        for modality, value in given.items():
            if value is not None:
                begin = time.perf_counter()
                found = self._features(modality, value)
                if found is not None:
                    features[modality], quality[modality] = found
                latency[modality.value] = (time.perf_counter() - begin) * 1000
        heard = 0.0 if sound is None else len(sound) / SAMPLE_RATE
        seconds = max(heard, 0.0 if pose is None else len(pose) / self.pose_fps)
        dialogue = DialogueState() if state is None else state
        event = self._decide(
            features,
            dialogue,
            quality=quality,
            lacks={m: ABSENT[m] for m, value in given.items() if value is not None and not len(features.get(m, ()))},
            source="",
            span=(0.0, seconds),
            speaker=speaker,
            latency_ms=latency,
        )
        return replace(event, text=text, text_from=None if text is None else "given")

    def _decide(
        self,
        features: Mapping[Modality, NDArray[Any]],
        dialogue: DialogueState,
        *,
        quality: Mapping[Modality, Quality],
        lacks: Mapping[Modality, str],
        source: str,
        span: tuple[float, float],
        speaker: str | None,
        latency_ms: Mapping[str, float],
        not_heard: bool = False,
    ) -> UtteranceEmotion:
        """Run the engine of what can be understood, and move the dialogue on.

        Args:
            not_heard: something was said, and not understood: what is seen and heard is read as in a conversation, in
                which most that is said is calm, not as an actor's.
        """
        dialogue = dialogue if self.context else DialogueState()
        times = {m.value: float(latency_ms.get(m.value, 0.0)) for m in reversed(Modality)}
        there = {m for m in self.mask if m in features and len(features[m])}
        vain = {m: why for m in there if m in quality and (why := reason_not_understood(m, quality[m]))}
        present = [m for m in self.mask if m in there and m not in vain]
        if not present:
            latency = {**times, "engine": 0.0, "total": sum(times.values())}
            reason = reason_for_no_emotion({**lacks, **vain})
            return UtteranceEmotion(source, *span, speaker, None, {}, (), {}, latency, reason=reason)
        session = self._pool.session(Mask.of(present))
        used = [m for m in present if m in session.mask]
        said = evidence({m: features[m] for m in used}, speaker)
        past = dialogue.before(said)
        inputs = engine_inputs(session, {m: features[m] for m in used}, quality, past, speaker)
        begin = time.perf_counter()
        out = session.run(inputs)
        engine = (time.perf_counter() - begin) * 1000
        dialogue.move_on(said, past, out["next_state"], speaker, out.get("next_voice"))
        labels = session.manifest.labels
        logits = out["logits"][0] / (session.manifest.temperature or 1.0)
        shares = _softmax(logits + conversational(labels) if not_heard else logits)
        best = int(shares.argmax())
        sure = bool(shares[best] >= self.min_confidence)
        order = list(Modality)
        return UtteranceEmotion(
            source,
            *span,
            speaker,
            labels[best] if sure else None,
            {label: float(p) for label, p in zip(labels, shares, strict=True)},
            tuple(m.value for m in used),
            _shares({m.value: float(out["weights"][0, order.index(m)]) for m in used}),
            {**times, "engine": engine, "total": sum(times.values()) + engine},
            confidence=float(shares[best]),
            reason=None if sure else NOT_SURE,
            model=session.manifest.model,
        )

    def _tokenizer(self) -> Tokenizer:
        with self._opening:
            if self._tokens is None:
                from emoje_edge.perception.text import Tokenizer

                path, length, digest = self._pool.reads(self.mask)
                self._tokens = Tokenizer(path, length=length, sha256=digest)
            return self._tokens

    def _listen(self) -> Transcriber:
        """What writes down words, opened once; called from the thread that listens."""
        with self._opening:
            if self._transcriber is None:
                from emoje_edge.perception.transcribe import Transcriber

                assert self.words is not None
                self._transcriber = Transcriber(self.words, language=self._language)
            return self._transcriber

    def _features(self, modality: Modality, value: Any) -> tuple[NDArray[Any], Quality] | None:
        """What the engine takes of one modality, and how good it is; None where there is nothing in it."""
        from emoje_edge.perception.quality import pose_quality, sound_quality, text_quality

        if modality is Modality.TEXT:
            return self._tokenizer().encode(value), text_quality(self._tokenizer().known(value))
        from emoje_edge.perception.features import level_utterance, log_mel_feature, pose_feature
        from emoje_edge.perception.skeleton import JOINTS

        if modality is Modality.AUDIO:
            sound = level_utterance(value)
            frames = log_mel_feature(sound, self._bands)
            return None if frames is None else (frames, sound_quality(sound))
        joints = np.asarray(value, np.float32)
        if joints.ndim != 3 or joints.shape[1:] != (len(JOINTS), 3):
            hint = f"give [frames, {len(JOINTS)}, 3]: x, y, visibility"
            raise UsageError(f"landmarks of shape {list(joints.shape)}", hint + (_OF_33 if 33 in joints.shape else ""))
        poses = pose_feature(np.arange(len(joints)) / self.pose_fps, joints)
        return None if poses is None else (poses, pose_quality(poses))

    def covers(self, mask: Mask) -> bool:
        """Whether an engine takes in all of these modalities together; where none does, `recognize` leaves some out."""
        return self._pool.covers(mask)

    def close(self) -> None:
        """Let go of the engines."""
        self._pool.close()

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _said(seen: Perceived) -> dict[str, Any]:
    """The fields of a row that tell what was said, and who tells."""
    sure = seen.words.confidence if seen.words and seen.text_from == "recognised" else None
    return {"text": seen.text, "text_from": seen.text_from, "text_confidence": sure}


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights over what spoke, sum 1; equal where nothing did."""
    total = sum(weights.values())
    return {m: w / total if total > 0 else 1 / len(weights) for m, w in weights.items()}


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shares = np.exp(logits.astype(np.float64) - logits.max())
    return shares / shares.sum()
