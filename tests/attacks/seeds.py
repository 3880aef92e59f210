"""Small whole inputs of every kind that is read: what the mutants are made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np

from emoje_edge.shipped import ENGINES, engines_of
from tests.perception.conftest import write_clip

RATE = 16_000
SRT = (
    "1\n00:00:00,100 --> 00:00:00,800\nANNE: What a wonderful day, isn't it?\n\n"
    "2\n00:00:00,900 --> 00:00:01,400\n- Leave me alone.\n- [sighs] As you wish.\n\n"
    "3\n00:00:01,500 --> 00:00:01,900\n♪ la la ♪ I hate it &amp; you\n"
)
VTT = (
    "WEBVTT\n\nNOTE none\n\nfirst\n00:00.100 --> 00:00.800 align:left\n<v Anne>What a <c.x>wonderful</c> day\n\n"
    "00:00.900 --> 00:01.400\n&gt;&gt; BOB: Leave<00:01.000><c> me</c> alone\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,40\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:00.10,0:00:00.80,Default,Anne,0,0,0,,{\\i1}What a wonderful{\\i0} day\n"
    "Dialogue: 0,0:00:00.90,0:00:01.40,Signs,,0,0,0,,{\\pos(1,2)}EXIT\n"
    "Dialogue: 0,0:00:01.50,0:00:01.90,Default,Bob,0,0,0,,Leave me\\Nalone\n"
)
WORDS = [{"word": "What", "start": 0.1, "end": 0.3, "speaker": "S0"}, {"word": "day", "start": 0.4, "speaker": "S1"}]
JSON = {
    "language": "en",
    "segments": [{"start": 0.1, "end": 0.8, "text": "What a day", "speaker": "S0", "words": WORDS}],
}
TSV = "start\tend\ttext\n100\t800\tWhat a wonderful day\n900\t1400\t[S1]: Leave me alone\n"
CSV = (
    "path,start,end,dialogue,speaker,text,label\n"
    ',,,d1,Anne,"What a day, isn\'t it?",joy\n'
    ",,,d1,Bob,Leave me alone,anger\n"
    ',,,d2,Anne,"He said ""no""",Sadness\n'
    ",,,d2,Bob,Fine,neutral\n"
)
SUBTITLES = {"a.srt": SRT, "a.vtt": VTT, "a.ass": ASS, "a.json": json.dumps(JSON), "a.tsv": TSV}
VIDEOS = ("a.mp4", "a.mkv", "a.ts", "a.avi")
SOUNDS = {"a.wav": "pcm_s16le", "a.flac": "flac", "a.mp3": "libmp3lame", "a.opus": "libopus", "a.aac": "aac"}


def murmur(seconds: float = 2.0) -> np.ndarray:
    """Sound that swells like speech, [N] float32."""
    t = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    return (0.1 * voice * np.sin(2 * np.pi * 3 * t) ** 2).astype(np.float32)


def write_seeds(folder: Path) -> dict[str, list[Path]]:
    """Fill a folder; kind -> its files (an engine is its folder)."""
    video = [write_clip(folder / name, seconds=2.0, rate=10, sound=murmur()) for name in VIDEOS]
    cues = [(100, 800, "0,0,Default,Anne,0,0,0,,What a day"), (900, 1400, "1,0,Default,,0,0,0,,Leave me alone")]
    video.append(write_clip(folder / "b.mkv", sound=murmur(), rate=10, subtitles=cues, subtitle_codec="ass"))
    sound = [_write_sound(folder / name, codec) for name, codec in SOUNDS.items()]
    words = []
    for name, text in SUBTITLES.items():
        words.append(folder / f"words-{name}")
        words[-1].write_text(text, encoding="utf-8")
    table = folder / "mine.csv"
    table.write_text(CSV, encoding="utf-8")
    engine = folder / "pose"
    shutil.copytree(engines_of() / "pose", engine)
    if (ENGINES / "weights").is_dir():
        shutil.copytree(ENGINES / "weights", folder / "weights", dirs_exist_ok=True)
    return {"video": video, "sound": sound, "subtitles": words, "table": [table], "engine": [engine]}


def _write_sound(path: Path, codec: str) -> Path:
    samples = (murmur() * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        for first in range(0, samples.size, 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
