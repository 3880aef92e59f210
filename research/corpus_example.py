"""The example of docs/use/corpus.md: MELD's dev dialogues as recordings with subtitles, labelled, counted and drawn.

    python -m research.corpus_example DATA/meld/dev_sent_emo.csv FOLDER [docs/pictures/corpus.png]

FOLDER gets `clips/` (silence with subtitles: the films are not to be had), `labels.csv` and `rows.parquet`.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import wave
from collections import defaultdict
from pathlib import Path

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets.tables import read_rows

EVERY, LENGTH = 4, 3  # s
SPEAKERS = ("Rachel", "Ross", "Monica", "Chandler", "Joey", "Phoebe")
# cold for what is disliked, warm for what is liked
COLOURS = {
    "anger": "#c0392b",
    "disgust": "#7d6608",
    "fear": "#6c3483",
    "sadness": "#2e5c8a",
    "surprise": "#e08e0b",
    "joy": "#2e8b57",
    "neutral": "#c8c8c8",
}
QUERY = """
    SELECT speaker, emotion, count(*) AS lines FROM '{rows}'
    WHERE emotion IS NOT NULL GROUP BY ALL ORDER BY speaker, lines DESC
"""


def make(table: Path, folder: Path) -> None:
    """A recording a dialogue, a cue an utterance, and a label each."""
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    dialogues: dict[str, list[dict[str, str]]] = defaultdict(list)
    for _, row in read_rows(table, ("Utterance", "Speaker", "Emotion", "Dialogue_ID")):
        dialogues[row["Dialogue_ID"]].append(row)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        labels = csv.writer(file)
        labels.writerow(["path", "label", "start", "end"])
        for number, rows in dialogues.items():
            name = f"dialogue-{int(number):03d}"
            with wave.open(str(clips / f"{name}.wav"), "wb") as sound:
                sound.setparams((1, 1, 8000, 0, "NONE", ""))
                sound.writeframes(b"\x80" * 8000 * EVERY * len(rows))
            cues = []
            for index, row in enumerate(rows):
                start, end = EVERY * index, EVERY * index + LENGTH
                cues.append(f"{stamp(start)} --> {stamp(end)}\n<v {row['Speaker']}>{row['Utterance']}\n")
                labels.writerow([f"{name}.wav", row["Emotion"], start, end])
            (clips / f"{name}.vtt").write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")


def stamp(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000"


def draw(rows: Path, out: Path) -> None:
    """Shares of emotions by speaker, without neutral lines."""
    import duckdb
    from matplotlib.figure import Figure

    found = duckdb.sql(QUERY.format(rows=rows)).df()  # type: ignore[union-attr]  # a SELECT has a relation
    counts = found.pivot(index="speaker", columns="emotion", values="lines").fillna(0)
    counts = counts.loc[[s for s in SPEAKERS if s in counts.index]]
    print(counts.astype(int).to_string())
    shares = counts.div(counts.sum(axis=1), axis=0)
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axis = figure.subplots()
    left = shares.iloc[:, 0] * 0
    for emotion in [e for e in COLOURS if e in shares and e in EMOTIONS]:
        axis.barh(shares.index, shares[emotion], left=left, color=COLOURS[emotion], label=emotion)
        left += shares[emotion]
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel="share of a speaker's lines")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(left=False)
    figure.legend(loc="outside upper center", ncols=7, frameon=False, handlelength=1, columnspacing=1)
    figure.savefig(out, dpi=110)


def main(table: Path, folder: Path, picture: Path) -> None:
    make(table, folder)
    command = [sys.executable, "-m", "emoje_edge", "corpus", str(folder / "clips"), "--mask", "text", "--words", "off"]
    options = ["--out", str(folder / "rows.parquet"), "--labels", str(folder / "labels.csv")]
    subprocess.run([*command, *options], check=True)
    draw(folder / "rows.parquet", picture)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        Path(sys.argv[3]) if len(sys.argv) > 3 else Path("docs/pictures/corpus.png"),
    )
