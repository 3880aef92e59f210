"""Engine folders that must be refused, made from a good one: name -> (change, words of the message)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Change = Callable[[Path], None]


def edit(change: Callable[[dict[str, Any]], None]) -> Change:
    def apply(folder: Path) -> None:
        path = folder / "manifest.json"
        raw = json.loads(path.read_text())
        change(raw)
        path.write_text(json.dumps(raw))

    return apply


def _rename(name: str) -> Change:
    def change(raw: dict[str, Any]) -> None:
        raw["files"][0]["name"] = raw["entry"] = name

    return edit(change)


def _truncated(folder: Path) -> None:
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[:-1])


def _flipped(folder: Path) -> None:
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)


def _linked_engine(folder: Path) -> None:
    (folder / "model.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere.onnx")


def _linked_manifest(folder: Path) -> None:
    (folder / "manifest.json").rename(folder.parent / "elsewhere.json")
    (folder / "manifest.json").symlink_to(folder.parent / "elsewhere.json")


def _pipe(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")


def _manifest_text(text: str | bytes) -> Change:
    def apply(folder: Path) -> None:
        (folder / "manifest.json").write_bytes(text.encode() if isinstance(text, str) else text)

    return apply


def _grown(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"more")


MALFORMED: dict[str, tuple[Change, str]] = {
    "truncated engine": (_truncated, "truncated"),
    "one bit flipped": (_flipped, "altered"),
    "engine longer than said": (_grown, "larger"),
    "engine missing": (lambda folder: (folder / "model.onnx").unlink(), "missing"),
    "engine is a link": (_linked_engine, "link"),
    "engine is a pipe": (_pipe, "not a regular file"),
    "manifest is a link": (_linked_manifest, "link"),
    "manifest empty": (_manifest_text(""), "not a manifest"),
    "manifest not JSON": (_manifest_text("{"), "not a manifest"),
    "manifest not UTF-8": (_manifest_text(b"\xff\xfe{}"), "not a manifest"),
    "manifest a list": (_manifest_text("[]"), "no JSON object"),
    "manifest deeply nested": (_manifest_text("[" * 100_000), "not a manifest"),
    "manifest huge": (_manifest_text(" " * (1 << 21)), "larger"),
    "manifest with a key twice": (_manifest_text('{"schema": 1, "schema": 1}'), "twice"),
    "manifest with NaN": (_manifest_text('{"schema": NaN}'), "NaN"),
    "newer schema": (edit(lambda raw: raw.update(schema=2)), "upgrade"),
    "no schema": (edit(lambda raw: raw.pop("schema")), "schema"),
    "key missing": (edit(lambda raw: raw.pop("parity")), "'parity'"),
    "unknown key": (edit(lambda raw: raw.update(run="rm")), "'run'"),
    "parent path": (_rename("../model.onnx"), "no plain name"),
    "absolute path": (_rename("/etc/passwd"), "no plain name"),
    "Windows path": (_rename("..\\model.onnx"), "no plain name"),
    "hidden name": (_rename(".model"), "no plain name"),
    "the manifest itself": (_rename("manifest.json"), "lists itself"),
    "file listed twice": (edit(lambda raw: raw["files"].append(raw["files"][0])), "twice"),
    "no file": (edit(lambda raw: raw.update(files=[])), "none"),
    "entry not listed": (edit(lambda raw: raw.update(entry="other.onnx")), "not among"),
    "wrong hash": (edit(lambda raw: raw["files"][0].update(sha256="0" * 64)), "altered"),
    "short hash": (edit(lambda raw: raw["files"][0].update(sha256="0" * 63)), "no SHA-256"),
    "negative size": (edit(lambda raw: raw["files"][0].update(bytes=-1)), "whole number"),
    "unknown mask": (edit(lambda raw: raw.update(mask="face")), "face"),
    "another mask": (edit(lambda raw: raw.update(mask="audio")), "not onnx for pose"),
    "another backend": (edit(lambda raw: raw.update(backend="tensorrt")), "not onnx for pose"),
    "unknown precision": (edit(lambda raw: raw.update(precision="int4")), "int4"),
    "input of a wrong dtype": (edit(lambda raw: raw["inputs"][0].update(dtype="object")), "object"),
    "temperature of zero": (edit(lambda raw: raw.update(temperature=0)), "temperature: 0.0 is no number"),
    "negative temperature": (edit(lambda raw: raw.update(temperature=-1.5)), "temperature: -1.5 is no number"),
    "endless temperature": (edit(lambda raw: raw.update(temperature=1e400)), "Infinity is no number"),
    "temperature that is none": (edit(lambda raw: raw.update(temperature=float("nan"))), "NaN is no number"),
    "temperature as text": (edit(lambda raw: raw.update(temperature="1.2")), "temperature: '1.2' is no number"),
    "temperature of true": (edit(lambda raw: raw.update(temperature=True)), "temperature: True is no number"),
    "inputs not the graph's": (edit(lambda raw: raw["inputs"][0].update(name="face")), "not the graph"),
}
