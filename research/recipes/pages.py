"""Where the figures of a model that ships are told, and the command line of the programs that tell them."""

from __future__ import annotations

import argparse
from pathlib import Path

from emoje_edge.shipped import ASSETS, DEFAULT
from research.evidence.tables import replace_block

HOUSE = Path(__file__).resolve().parents[2]
CARD = ASSETS / "model_card.md"


def arguments_of(text: str | None, *more: str, run: bool = False, out: bool = False) -> argparse.Namespace:
    """DATA, --model, a RUN and an OUT where they are asked for, and further folders by their option."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    if run:
        parser.add_argument("run", type=Path, metavar="RUN")
    if out:
        parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--model", choices=("small", "medium"), default=DEFAULT)
    for option in more:
        parser.add_argument(option, type=Path)
    return parser.parse_args()


def put_in_card(model: str, name: str, text: str) -> None:
    """A block of the model card; that of another model than the default stands behind the default's."""
    _put(CARD, model, name, text)


def put_in_page(page: str, model: str, name: str, text: str) -> None:
    """A block of docs/evidence/PAGE.md."""
    _put(HOUSE / "docs" / "evidence" / f"{page}.md", model, name, text)


def _put(path: Path, model: str, name: str, text: str) -> None:
    if model == DEFAULT:
        replace_block(path, name, text)
    else:
        replace_block(path, f"{name}-{model}", f"**{model}**\n\n{text}", after=name)
