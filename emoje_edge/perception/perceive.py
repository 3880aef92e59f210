"""The pass over a source: from a video to utterances with what each modality gives of them.

The source is decoded in the caller's thread, bodies are found in a second one (the networks leave the interpreter free
meanwhile), words in a third.  A few pictures and utterances wait between them, and what lies before every open
utterance is forgotten, so memory does not grow with the length of a video.
"""

from __future__ import annotations

import math
import time as clock
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.perception import skeleton
from emoje_edge.perception.background_transcriber import CONTEXT, ENGLISH, BackgroundTranscriber
from emoje_edge.perception.bodies.estimator import BlazePose, PoseEstimator
from emoje_edge.perception.bodies.speaker import Speakers
from emoje_edge.perception.bodies.worker import NOTHING_SEEN, PoseWorker, Seen, Watch
from emoje_edge.perception.cues import cues_of
from emoje_edge.perception.dictation import Dictation, Partials, PendingWords
from emoje_edge.perception.features import level_utterance, log_mel_feature
from emoje_edge.perception.live.inbox import Inbox, Item, Lost, Tick
from emoje_edge.perception.live.pushed import Pushed
from emoje_edge.perception.live.stream import LiveStream, is_stream
from emoje_edge.perception.media import Media, MediaInfo, VideoFrame
from emoje_edge.perception.perceived import Perceived, add_pose, listening
from emoje_edge.perception.quality import Quality, sound_quality, text_quality
from emoje_edge.perception.segmentation import Cues, PushedUtterances, Segmenter, Utterance, Windows
from emoje_edge.perception.sound_buffer import SoundBuffer
from emoje_edge.perception.speaker_labels import SpeakerLabels
from emoje_edge.perception.speech import LevelledSpeech
from emoje_edge.perception.text import Tokenizer
from emoje_edge.perception.transcribe import Transcriber
from emoje_edge.perception.voice_activity import MARGIN, Detector, VoiceActivity
from emoje_edge.shapes import BANDS

# s by which one stream may lag behind the other before it is taken to be over: in a file, where it may lie further on,
# and live, where it comes when it happens
_LAG, _LIVE_LAG = 10.0, 0.5
# Of a cue longer than this only the beginning is searched for its most telling 7.68 s: sound has to be kept for it.
_SEARCHED = 60.0


class Opened(Protocol):
    """A source that is open already: a live stream, or pictures and sound that are pushed."""

    inbox: Inbox

    @property
    def info(self) -> MediaInfo: ...

    def decode(self, *, video: bool = True, audio: bool = True, fps: float | None = None) -> Iterator[Item]:
        """As `Media.decode`; an utterance among the items is one whose words are known."""
        ...

    def __enter__(self) -> Any: ...

    def __exit__(self, *error: Any) -> None: ...


def perceive(
    source: str | Path | Opened,
    mask: Mask | str = "auto",
    *,
    tokenizer: Tokenizer | None = None,
    text: str | Path | None = None,
    encoding: str | None = None,
    utterances: Sequence[Utterance] = (),
    pose_fps: float = skeleton.RATE,
    window: float = 3.0,
    hop: float = 1.5,
    people: int = 1,
    estimator: Callable[[], PoseEstimator] | None = None,
    bands: int = BANDS,
    words: Callable[[], Transcriber] | None = None,
    detector: Callable[[], Detector] = LevelledSpeech,
    progress: Callable[[float], None] | None = None,
    watch: Watch | None = None,
    partial: float | None = None,
    http: bool = False,
    voices: bool = False,
) -> Generator[Perceived, None, None]:
    """Perceive a source utterance by utterance, each as soon as it is over, in the order of their beginnings.

    A cue keeps its times whatever its length; of one longer than 7.68 s the features are of its most telling 7.68 s
    (the loudest for audio, those with most visible joints for pose), looked for in its first 60 s.

    Args:
        source: a file; `"webcam:0"`; `"rtsp://…"`; `"-"` for standard input; or one that is open.
        mask: what may be used; `"auto"` for all there is.  What is not in it is neither decoded nor read: without
            text, subtitles do not tell the utterances either.
        tokenizer: turns text to ids; without it utterances have text but no text feature.
        text: subtitle file to use instead of the one beside or inside the source.
        encoding: of that file or the one beside, where it is not found out rightly.
        utterances: who spoke when, where that is known already (the rows of a data set): nothing is looked for.
        pose_fps: most pictures a second to look at.
        window, hop: s, of the windows that stand in where there are neither cues nor sound, or nobody speaks.
        people: bodies to follow at most.  With more than one, each utterance is that of who speaks, told by who moves;
            after it comes one of pose alone for everybody else in view.
        estimator: makes what finds bodies, None: BlazePose; called in the pose thread.
        bands: of the audio feature, 64 or 80, as the engine takes it.
        words: opens what writes down the words where there are no cues; None: words come from cues only.
        detector: makes what tells speech from other sound.
        progress: called with the time (s) up to which the source was read.
        watch: called in the pose thread with each picture's time (s), the bodies in it, and its width over height.
        partial: every so many seconds, tell also of the utterance that is still open (`final` False); None: never.
        http: addresses of `http(s)://` may be opened.
        voices: give who speaks without a name a letter, by the voice.

    Raises:
        UsageError: an argument that does not fit.
        WorkError: the source cannot be read or holds nothing of what the mask asks for.  From a damaged or cut off
            file all utterances up to there come first.
    """
    wanted = Mask(7) if mask == "auto" else Mask.parse(mask)
    if text is not None and Modality.TEXT not in wanted:
        raise UsageError(f"a text file {text}, but the mask {wanted} has no text", f"--mask text,{wanted}")
    Windows(window, hop)  # complains about sizes that do not fit before anything is opened
    with ExitStack() as stack:
        media = stack.enter_context(_opened(source, http))
        live = not isinstance(media, Media) and not media.inbox.waits
        cues = list(utterances)
        if not cues and Modality.TEXT in wanted:
            name = source if isinstance(source, (str, Path)) else "-"  # what is open already has no cues of its own
            cues = cues_of(name, text, media.info, encoding)
        video = Modality.POSE in wanted and media.info.has_video
        told = any(cue.text for cue in cues)
        listen = words if Modality.TEXT in wanted and media.info.has_audio and not told else None
        sound = media.info.has_audio and (Modality.AUDIO in wanted or listen is not None)
        pushed = isinstance(source, Pushed) and source.has_words and Modality.TEXT in wanted
        _require_something(source, wanted, media.info, found=bool(cues or video or sound or pushed))
        make = estimator or (lambda: BlazePose(people))
        worker = PoseWorker(make, watch, waiting=2 if live else 16) if video else None
        if worker:
            stack.callback(worker.close)
        segmenter: Segmenter = Cues(cues) if cues else Windows(window, hop)
        if pushed:
            segmenter = PushedUtterances()
        elif sound and not cues:
            segmenter = VoiceActivity(window if video else None, detector())
        transcriber = BackgroundTranscriber(listen) if listen else None
        if transcriber:
            stack.callback(transcriber.close)
        run = _Run(
            segmenter,
            SoundBuffer() if sound else None,
            worker,
            tokenizer,
            transcriber=transcriber,
            bands=bands if Modality.AUDIO in wanted else None,
            several=people > 1,
            live=live,
            partial=partial,
            voices=voices,
        )
        failure: WorkError | None = None
        try:
            for item in media.decode(video=video, audio=sound, fps=pose_fps):
                run.take(item)
                if progress:
                    progress(run.now)
                yield from run.closed()
                yield from run.open_now()
        except WorkError as error:
            if run.now == 0.0:
                raise
            failure = error
        yield from run.rest(everything=not (video or sound))
        if failure:
            raise failure


class _Run:
    """The state of one pass over a source.

    Attributes:
        now: s, up to which the source was read.
    """

    _UNWRITTEN = 4  # utterances that may wait for their words before decoding waits, too

    def __init__(
        self,
        segmenter: Segmenter,
        sound: SoundBuffer | None,
        worker: PoseWorker | None,
        tokenizer: Tokenizer | None,
        *,
        transcriber: BackgroundTranscriber | None = None,
        bands: int | None = BANDS,
        several: bool = False,
        live: bool = False,
        partial: float | None = None,
        voices: bool = False,
    ) -> None:
        self._voices = SpeakerLabels() if voices else None
        self._segmenter, self._sound, self._worker, self._tokenizer = segmenter, sound, worker, tokenizer
        self._bands, self._lag = bands, _LIVE_LAG if live else _LAG
        self._dictation = Dictation(transcriber, sound, early=live)
        self._partials = Partials(partial, self._dictation) if partial else None
        self._speakers = Speakers() if several else None
        self._open: deque[tuple[Utterance, PendingWords | None]] = deque()
        self._aspect = 1.0
        self._over = False
        self._lost = -math.inf
        self.now = 0.0

    def take(self, item: Item) -> None:
        """Take in what the decoder gave."""
        if isinstance(item, Tick):
            return
        if isinstance(item, Utterance):
            self._take_up([item])
            return
        if isinstance(item, Lost):
            self._lost = item.time
            self._take_up(self._segmenter.close_before(item.time) if item.sound else self._segmenter.advance(item.time))
            return
        if isinstance(item, VideoFrame):
            assert self._worker is not None
            self._aspect = item.pixels.shape[1] / item.pixels.shape[0]
            self._worker.put(item)
        else:
            assert self._sound is not None
            self._sound.add(item)
            self._take_up(self._segmenter.add_audio(item))
            self._dictation.pause(self._segmenter.open_utterance)
        self.now = max(self.now, item.time)
        self._take_up(self._segmenter.advance(item.time))

    def closed(self) -> Iterator[Perceived]:
        """Utterances of which everything is there."""
        while self._open and self._reached() >= _searched_end(self._open[0][0]) and self._written():
            yield from self._perceived(*self._open.popleft())
        self._forget()

    def open_now(self) -> Iterator[Perceived]:
        """The utterance that is still open, where it is to be told of now."""
        if self._partials and (told := self._partials.due(self._segmenter, self.now)):
            yield from self._perceived(*told, final=False)

    def rest(self, *, everything: bool) -> Iterator[Perceived]:
        """After the source's end: what is left; all cues where nothing but cues was asked for."""
        if self._worker:
            self._worker.finish()
        ends = [self.now, self._sound.until if self._sound else 0.0]
        self._take_up(self._segmenter.finish(math.inf if everything else max(ends)))
        self._over = True
        yield from self.closed()

    def _take_up(self, utterances: list[Utterance]) -> None:
        """New utterances; those that somebody spoke are written down from now on."""
        self._open += [(utterance, self._dictation.words_of(utterance)) for utterance in utterances]

    def _written(self) -> bool:
        """Whether the first utterance's words are there, or are to be waited for."""
        heard = self._open[0][1]
        return heard is None or heard.done() or self._over or len(self._open) > self._UNWRITTEN

    def _reached(self) -> float:
        """Up to when (s) sound and bodies are there."""
        if self._over:
            return math.inf
        reached = [math.inf]
        if self._sound is not None:
            reached.append(max(self._sound.until, self.now - self._lag))
        if self._worker is not None:
            lag = self._lag if self._worker.idle else math.inf
            reached.append(max(self._worker.track.until, self.now - lag))
        all_seen = self._worker is None or self._worker.idle
        return max(min(reached), self._lost) if all_seen else min(reached)

    def _forget(self) -> None:
        before = min([self._segmenter.horizon, *(utterance.start for utterance, _ in self._open)])
        if self._sound is not None:
            self._sound.forget(before - max(CONTEXT, MARGIN))
        if self._worker is not None:
            self._worker.track.forget(before)

    def _perceived(
        self, utterance: Utterance, heard: PendingWords | None, *, final: bool = True
    ) -> Iterator[Perceived]:
        """The utterance; where several are followed and it is over, then what everybody else in view does meanwhile."""
        features: dict[Modality, NDArray[Any]] = {}
        quality: dict[Modality, Quality] = {}
        lacks: dict[Modality, str] = {}
        latency = {"pose": 0.0, "audio": 0.0, "text": 0.0}
        end = _searched_end(utterance)
        words, latency["text"] = heard.result() if heard else (None, 0.0)
        text = words.text if words and words.sure else utterance.text
        begin = clock.perf_counter()
        if self._tokenizer is not None and text and (words is None or words.language == ENGLISH):
            ids = self._tokenizer.encode(text)
            if ids.size:
                features[Modality.TEXT] = ids
                sure = words.confidence if words else 1.0
                quality[Modality.TEXT] = text_quality(self._tokenizer.known(text), sure)
            latency["text"] += _since(begin)
        begin = clock.perf_counter()
        samples = self._sound.take(utterance.start, end) if self._sound is not None and utterance.spoken else None
        if self._voices and samples is not None and samples.size and utterance.speaker is None and final:
            utterance = replace(utterance, speaker=self._voices.label(samples))
        if self._sound is not None and self._bands and samples is None:
            lacks[Modality.AUDIO] = "no_speech"
        elif self._bands and self._sound is not None:
            sound = level_utterance(self._sound.take(utterance.start - utterance.lead, end + utterance.tail))
            frames = log_mel_feature(sound, self._bands)
            if frames is not None:
                features[Modality.AUDIO], quality[Modality.AUDIO] = frames, sound_quality(sound)
            else:
                lacks[Modality.AUDIO] = "silence"
            latency["audio"] = _since(begin)
        begin = clock.perf_counter()
        seen = self._worker.track.take(utterance.start, end) if self._worker else NOTHING_SEEN
        people = {number: seen.joints(number) for number in seen.people} if self._speakers and final else {}
        person = self._speaker(utterance, seen, people, samples) if final else None
        joints = seen.joints(person)
        if not add_pose(features, quality, seen.times, joints) and self._worker:
            lacks[Modality.POSE] = "nobody_seen"
        if self._worker:
            latency["pose"] = seen.cost_ms + _since(begin)
        unit = np.array([self._aspect, 1.0, 1.0], dtype=np.float32)
        spoken = Perceived(
            start=utterance.start,
            end=utterance.end,
            speaker=utterance.speaker,
            text=text,
            features=features,
            skeleton_times=seen.times,
            skeleton=joints / unit,
            aspect=self._aspect,
            latency_ms=latency,
            quality=quality,
            text_from=None if text is None else "recognised" if words else "subtitles",
            words=words,
            spoken=utterance.spoken if self._sound else None,
            lacks=lacks,
            person=person,
            people={number: found / unit for number, found in people.items()},
            in_view=self._worker.in_view if self._worker else 0,
            final=final,
        )
        yield spoken
        others = (listening(spoken, other, seen.joints(other)) for other in people if other != person)
        yield from (other for other in others if other.features)  # who only passes by gives nothing

    def _speaker(
        self,
        utterance: Utterance,
        seen: Seen,
        people: dict[int, NDArray[np.float32]],
        sound: NDArray[np.float32] | None,
    ) -> int | None:
        """Whose utterance it is, where several are followed."""
        if self._speakers is None:
            return None
        return self._speakers.link(people, seen.times, name=utterance.speaker, sound=sound, start=utterance.start)


def _opened(source: str | Path | Opened, http: bool) -> Opened | Media:
    if not isinstance(source, (str, Path)):
        return source
    return LiveStream([str(source)], http=http) if is_stream(source) else Media(source)


def _require_something(source: str | Path | Opened, wanted: Mask, info: MediaInfo, *, found: bool) -> None:
    if found:
        return
    there = [m for m, is_there in ((Modality.AUDIO, info.has_audio), (Modality.POSE, info.has_video)) if is_there]
    hint = f"it holds what {' and '.join(there)} needs: --mask {Mask.of(there)}"
    raise WorkError(f"{source} holds nothing for the mask {wanted}", f"{hint}; or give words with --text FILE")


def _searched_end(utterance: Utterance) -> float:
    return min(utterance.end, utterance.start + _SEARCHED)


def _since(begin: float) -> float:
    """Milliseconds."""
    return 1e3 * (clock.perf_counter() - begin)
