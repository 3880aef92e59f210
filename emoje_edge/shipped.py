"""Where the files that come with the package lie: one place for each path."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
ENGINES = ASSETS / "engines"
STUDENT = ASSETS / "student"
TOKENIZER = ASSETS / "tokenizer.json"
ACCURACY = ASSETS / "accuracy.json"
SENTENCES = ASSETS / "sentences.txt"
TIMELINE_PAGE = ASSETS / "timeline.html"
SILERO = ASSETS / "speech" / "silero_vad.onnx"
WHISPER = ASSETS / "whisper-tiny.en"
POSE_MODELS = ASSETS / "pose"
FONT = ASSETS / "drawing" / "DejaVuSans.ttf"
PORTRAIT = ASSETS / "drawing" / "grace_hopper.jpg"
