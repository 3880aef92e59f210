"""Where the files that come with the package lie: one place for each path.

The family of models: ENGINES/NAME/MASK are the engines of one, with weights in ENGINES/weights that all of them share;
MODELS/NAME is what its engines are built from (configuration, weights, spec, temperatures) and its figures.
"""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
ENGINES = ASSETS / "engines"
ENGINE_WEIGHTS = ENGINES / "weights"
MODELS = ASSETS / "models"
DEFAULT = "small"  # the model that is taken where none is named
TOKENIZER = ASSETS / "tokenizer.json"
SENTENCES = ASSETS / "sentences.txt"
TIMELINE_PAGE = ASSETS / "timeline.html"
SILERO = ASSETS / "speech" / "silero_vad.onnx"
VOICES = ASSETS / "speech" / "voices.npz"
WHISPER = ASSETS / "whisper-tiny.en"
POSE_MODELS = ASSETS / "pose"
FONT = ASSETS / "drawing" / "DejaVuSans.ttf"
PORTRAIT = ASSETS / "drawing" / "grace_hopper.jpg"


def engines_of(model: str = DEFAULT) -> Path:
    """The folder of a model's engines."""
    return ENGINES / model


def model_folder(model: str = DEFAULT) -> Path:
    """The folder of what a model's engines are built from."""
    return MODELS / model


def accuracy_of(model: str = DEFAULT) -> Path:
    """The file of a model's figures, for the model card, `bench` and the README."""
    return MODELS / model / "accuracy.json"
