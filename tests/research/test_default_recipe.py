"""The recorded recipe of the network that ships, run through on a small part of the real data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from emoje_edge.errors import UsageError
from emoje_edge.evaluation.evaluate import evaluate
from emoje_edge.modality import Mask, Modality
from emoje_edge.training.batching import Collator
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.tokens import tokenizer_of
from research.augmentation.composite import compose
from research.recipes import default, free, ship

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not (DATA / "ravdess").is_dir(), reason="the training data are not beside the checkout")


@pytest.fixture(scope="module")
def parts() -> default.Parts:
    return default.shrink(default.read_parts(DATA), size=24)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of the right shape, untrained, that knows a few pieces."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("encoder")
    letters = "abcdefghijklmnopqrstuvwxyz'.,!?0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters[:26]), "the", "you"]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    shape = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    transformers.BertModel(shape).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_all_stages_end_in_one_network_for_all_masks(
    tmp_path: Path, parts: default.Parts, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(default, "read_parts", lambda *_: parts)
    (done,) = default.run(DATA, tmp_path, encoder=encoder, size="small", quiet=True, quick=True)
    assert {p.name for p in tmp_path.iterdir()} >= {
        "tokenizer.json", "text-medium", "text-small", "audio", "pose", "material"
    }  # fmt: skip
    assert done.path == tmp_path / "small"
    assert done.config == default.model("small")
    assert done.tokenizer is not None
    # the joint stage began with the encoders that the stages had trained, so a resumed recipe finds them
    found = default.branches(tmp_path, "small")
    started = default.initial(done.config, found)
    for name in ("text", "audio", "pose"):
        trained = found[name].network.state_dict()
        same = [torch.equal(started[k], v) for k, v in trained.items() if k.startswith(f"encoders.{name}.")]
        assert same
        assert all(same)
    # the words' branch, its dialogue and its head are what the text stage left
    words = found["text"].network.state_dict()
    kept = done.network.state_dict()
    assert all(torch.equal(kept[k], v) for k, v in words.items() if not k.startswith("joint."))
    predictor = TorchPredictor(done.network, Collator(done.config, tokenizer_of(done.config, done.tokenizer)))
    made = compose(parts.text[0], parts.audio[0], parts.pose[0], count=28, seed=0)
    for mask in Mask.all():
        assert sum(evaluate(predictor, made, mask).scores.support.values()) > 0


def test_free_words_come_from_nothing_but_free_comments(tmp_path: Path, encoder: Path) -> None:
    torch.set_num_threads(1)
    root = tmp_path / "data"
    root.mkdir()
    (root / "goemotions").symlink_to(DATA / "goemotions")  # and nothing else is there
    done = free.run(root, tmp_path / "run", encoder, quiet=True, quick=True)
    assert done.path == tmp_path / "run" / "free-small"
    assert done.config.mask == Mask.parse("text")
    assert set(done.meta["corpora"]) == {"train", "dev"}
    assert "free text" in done.meta["corpora"]["train"]["name"]


def test_without_an_encoder_the_recipe_says_which(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without --encoder"):
        default.run(DATA, tmp_path)


@pytest.mark.parametrize(
    ("size", "change", "message"),
    [
        ("small", {"model_type": "roberta"}, "is a 'roberta' model"),
        ("small", {"hidden_size": 768}, "has hidden_size 768, the text branch has 384"),
        ("small", {"num_hidden_layers": 1}, "has 1 layers, 6 are taken"),  # small learns from medium
        ("small", None, "holds no vocab.txt"),
    ],
)
def test_what_is_no_such_encoder_is_named(
    tmp_path: Path, encoder: Path, size: str, change: dict[str, object] | None, message: str
) -> None:
    folder = shutil.copytree(encoder, tmp_path / "given")
    if change is None:
        (folder / "vocab.txt").unlink()
    else:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        default.run(DATA, tmp_path / "run", encoder=folder, size=size)
    assert not (tmp_path / "run").exists()


def test_the_calibration_set_has_every_modality(parts: default.Parts) -> None:
    found = ship.calibration_set(parts, default.model(), 100)
    assert {m.value for m in Modality} <= set(found.arrays)
    assert found.samples == min(100, max(len(parts.text[0]), len(parts.audio[0]), len(parts.pose[0])))
    assert found.arrays["text"].shape[1] == 40
    assert (found.arrays["audio_length"] > 50).all()
    assert (found.arrays["pose_length"] > 5).all()
