"""A text encoder that starts from a sentence encoder's weights: its vectors for our tokens, its lowest layers.

From all-MiniLM-L6-v2 (Apache-2.0; sentence-transformers, distilled from BERT-base by Wang et al., arXiv 2002.10957).
The lowest layers are what a shorter encoder wants (Sajjad et al., arXiv 2004.03844).  Where the student is narrower,
the token table is its first principal components, and of each feed-forward the hidden units that say most are kept.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from emoje_edge.errors import UsageError
from emoje_edge.model import TextEncoder
from emoje_edge.training.checkpoint import load_weights

MEANING = {"...": "well", "?!": "what ? !", "!!": "! !", "??": "? ?", ":)": "smile happy", ":(": "sad", ";)": "wink"}
_SAYS_NOTHING = {"face", "with", "and", "of", "sign", "symbol", "black", "white", "heavy", "hand", "person"}
_FALLBACK = "[UNK]"


FILES = ("config.json", "vocab.txt", "tokenizer.json", "model.safetensors")


def check(folder: Path, encoder: TextEncoder) -> None:
    """Look whether `start` can take its weights from there.

    Raises:
        UsageError: no such folder, files missing, another kind of encoder, another width, or too few layers.
    """
    hint = "give the folder of all-MiniLM-L6-v2 as sentence-transformers publishes it"
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} holds no {', '.join(missing)}", hint)
    try:
        found = dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{folder / 'config.json'} cannot be read: {error}", hint) from error
    if found.get("model_type") != "bert":
        raise UsageError(f"{folder} is a {found.get('model_type')!r} model, 'bert' is read", hint)
    wanted = {"hidden_size": encoder.width, "num_attention_heads": encoder.heads}
    for name, value in wanted.items():
        if found.get(name) != value:
            raise UsageError(f"{folder} has {name} {found.get(name)}, the text branch has {value}", hint)
    if found.get("num_hidden_layers", 0) < encoder.layers:
        raise UsageError(f"{folder} has {found.get('num_hidden_layers')} layers, {encoder.layers} are taken", hint)


def start(folder: Path, tokenizer: Path, encoder: TextEncoder) -> dict[str, Tensor]:
    """Weights of `encoders.text`, all but its output.

    Args:
        folder: config.json, vocab.txt, tokenizer.json and model.safetensors of a BERT-shaped encoder of this width.
        tokenizer: of our tokens.
    """
    weights = load_weights(folder / "model.safetensors")
    table = token_vectors(folder, tokenizer, weights["embeddings.word_embeddings.weight"])
    rows = F.pad(table, (0, 0, 0, encoder.vocabulary - len(table)))
    position = weights["embeddings.position_embeddings.weight"][: encoder.tokens]
    found = {
        "position": position + weights["embeddings.token_type_embeddings.weight"][0],
        "norm_in.weight": weights["embeddings.LayerNorm.weight"],
        "norm_in.bias": weights["embeddings.LayerNorm.bias"],
        **_narrowed(rows, len(table), encoder.embedding),
    }
    for k in range(encoder.layers):
        part = {name.removeprefix(f"encoder.layer.{k}."): x for name, x in weights.items() if f"layer.{k}." in name}
        found |= {f"layers.{k}.{name}": x for name, x in _layer(part, encoder.ratio * encoder.width).items()}
    return {f"encoders.text.{name}": x.float().contiguous() for name, x in found.items()}


def token_vectors(folder: Path, tokenizer: Path, table: Tensor) -> Tensor:
    """[our tokens, D]: the encoder's own vector, or the mean over the pieces of what a new token means."""
    from tokenizers import Tokenizer

    theirs, ours = Tokenizer.from_file(str(folder / "tokenizer.json")), Tokenizer.from_file(str(tokenizer))
    theirs.no_truncation()
    theirs.no_padding()

    def vector(token: str) -> Tensor:
        known = theirs.token_to_id(token)
        if known is None:
            ids = theirs.encode(meaning(token), add_special_tokens=False).ids
            return table[ids].mean(0) if ids else table[theirs.token_to_id(_FALLBACK)]
        return table[known]

    ids = ours.get_vocab()
    return torch.stack([vector(token) for token in sorted(ids, key=ids.__getitem__)])


def meaning(token: str) -> str:
    """A new token in words that the encoder knows: 😂 is "tears joy"."""
    if token in MEANING:
        return MEANING[token]
    if len(token) == 1 and (name := unicodedata.name(token, "").lower()):
        words = [word for word in name.replace("-", " ").split() if word not in _SAYS_NOTHING]
        return " ".join(words) or name
    return token.strip("[]")


def _narrowed(table: Tensor, used: int, width: int) -> dict[str, Tensor]:
    """The table, or its first `width` principal components and the linear map back."""
    if not width:
        return {"embedding.weight": table}
    mean = table[:used].mean(0)
    _, _, basis = torch.linalg.svd(table[:used] - mean, full_matrices=False)
    basis = basis[:width]
    narrow = (table - mean) @ basis.T
    narrow[used:] = 0
    return {"embedding.weight": narrow, "lift.weight": basis.T, "lift.bias": mean}


def _layer(part: dict[str, Tensor], hidden: int) -> dict[str, Tensor]:
    """One BERT layer under the names of `TransformerLayer`."""
    key_value: Callable[[str], Tensor] = lambda kind: torch.cat(  # noqa: E731
        [part[f"attention.self.{name}.{kind}"] for name in ("key", "value")]
    )
    up, down = part["intermediate.dense.weight"], part["output.dense.weight"]
    said = up.norm(dim=1) * down.norm(dim=0)
    kept = said.topk(min(hidden, len(said))).indices.sort().values
    found = {
        "feed_forward.up.weight": up[kept],
        "feed_forward.up.bias": part["intermediate.dense.bias"][kept],
        "feed_forward.down.weight": down[:, kept],
        "feed_forward.down.bias": part["output.dense.bias"],
    }
    for kind in ("weight", "bias"):
        found |= {
            f"attention.query.{kind}": part[f"attention.self.query.{kind}"],
            f"attention.key_value.{kind}": key_value(kind),
            f"attention.out.{kind}": part[f"attention.output.dense.{kind}"],
            f"norm1.{kind}": part[f"attention.output.LayerNorm.{kind}"],
            f"norm2.{kind}": part[f"output.LayerNorm.{kind}"],
        }
    return found
