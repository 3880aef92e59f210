"""The option that says how many bodies are followed."""

from emoje_edge.errors import UsageError
from emoje_edge.shapes import MOST_PEOPLE


def people_count(people: str) -> int:
    """The number that `--people N|all` asks for.

    Raises:
        UsageError: neither a number nor `all`.
    """
    if people == "all":
        return MOST_PEOPLE
    if not (people.isascii() and people.isdecimal()):
        raise UsageError(f"--people {people}", f"give a number from 1 to {MOST_PEOPLE}, or all")
    return int(people)
