"""Weights that engines share: stored once, found, checked, and copied without what a mask does not need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoje_edge.engine.build import Plan
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.onnx_graph import LEAST, GraphBuilder
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.engine.store import prunable
from emoje_edge.engine.weights import branch_of, copy, store
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model.network import MaskedNetwork

WORDS_AND_BODY, ALL = Mask.parse("text,pose"), Mask.parse("all")


def found(mask: Mask, root: Path) -> Path:
    folder = find_engine(mask, "onnx", root)
    assert folder is not None
    return folder


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    copy([found(WORDS_AND_BODY, built)], tmp_path / "device")
    return tmp_path / "device"


def weights_file(root: Path, branch: str) -> Path:
    (path,) = (root / "weights").glob(f"{branch}-*.bin")
    return path


def test_two_masks_name_the_same_file_of_the_words(built: Path) -> None:
    names = [{w.name for w in read_manifest(found(mask, built)).weights} for mask in (WORDS_AND_BODY, ALL)]
    assert [name for name in names[0] & names[1] if name.startswith("text-")]
    assert len(list((built / "small" / "weights").glob("text-*.bin"))) == 1


def test_the_graph_is_small_and_the_token_table_is_in_the_shared_file(built: Path, network: MaskedNetwork) -> None:
    folder = found(WORDS_AND_BODY, built)
    table = 8192 * 32  # one byte an entry
    assert (folder / "model.onnx").stat().st_size < table
    assert weights_file(built / "small", "text").stat().st_size >= table


def test_a_copy_answers_as_the_original(built: Path, copied: Path, plan: Plan) -> None:
    network = MaskedNetwork(plan.network, WORDS_AND_BODY)
    batch = next(plan.data.batches(network))
    inputs = {n: x.numpy() for n, x in zip(network.input_names, batch, strict=True)}
    answers = [open_engine(WORDS_AND_BODY, engine_dir=root).run(inputs) for root in (built, copied)]
    assert np.array_equal(answers[0]["logits"], answers[1]["logits"])
    assert len(np.unique(answers[0]["logits"])) > 7  # not all the same


def test_a_copy_holds_nothing_that_its_mask_does_not_need(built: Path, tmp_path: Path) -> None:
    copy([found(Mask.parse("pose"), built)], tmp_path / "pose")
    assert not list(tmp_path.rglob("text-*"))
    open_engine(Mask.parse("pose"), engine_dir=tmp_path / "pose")


def test_a_copy_does_not_write_into_a_used_folder(built: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        copy([found(WORDS_AND_BODY, built)], tmp_path)


def test_missing_weights_are_named(copied: Path) -> None:
    path = weights_file(copied, "text")
    path.unlink()
    with pytest.raises(WorkError, match=f"{path.name} is missing"):
        open_engine(WORDS_AND_BODY, engine_dir=copied)


def test_weights_of_another_model_are_named(copied: Path) -> None:
    path = weights_file(copied, "text")
    path.rename(path.with_name("text-000000000000.bin"))
    with pytest.raises(WorkError, match=r"text-000000000000\.bin are of another model"):
        open_engine(WORDS_AND_BODY, engine_dir=copied)


def test_altered_weights_are_named(copied: Path) -> None:
    path = weights_file(copied, "text")
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(WorkError, match=f"{path.name} was altered"):
        open_engine(WORDS_AND_BODY, engine_dir=copied)


def test_a_link_is_not_followed(copied: Path) -> None:
    path = weights_file(copied, "text")
    path.rename(copied / "elsewhere")
    path.symlink_to(copied / "elsewhere")
    with pytest.raises(WorkError, match="is a link"):
        open_engine(WORDS_AND_BODY, engine_dir=copied)


def test_weights_that_no_engine_names_may_go(copied: Path) -> None:
    store({"text-ffffffffffff.bin": b"old"}, copied)
    assert [path.name for path, _ in prunable(copied)] == ["text-ffffffffffff.bin"]


@pytest.mark.parametrize(
    ("parameter", "branch"),
    [
        ("network.encoders.text.embedding.weight", "text"),
        ("network.fusion.project.pose.weight", "pose"),
        ("network.encoders.audio.convolutions.0.conv.weight", "audio"),
        ("network.gate.sees.text.weight", "common"),
        ("network.evidence.audio.out.weight", "common"),
        ("network.dialogue.input.weight", "common"),
        ("network.head.bias", "common"),
    ],
)
def test_a_parameter_belongs_to_its_branch(parameter: str, branch: str) -> None:
    assert branch_of(parameter) == branch


def test_what_stays_in_the_graph_is_stored_once_whoever_it_belongs_to() -> None:
    builder = GraphBuilder()
    small, large = np.zeros(16, np.float32), np.zeros(LEAST, np.int8)
    names = []
    for owner in ("text", "audio"):
        builder.owner = owner
        names.append((builder.constant(small), builder.constant(large)))
    (words, many), (voice, other) = names
    assert words == voice
    assert many != other  # each branch's file has its own
    assert builder.owners == {many: "text", other: "audio"}
