"""Where two URIs that should be one differ, said so that a person sees it at once."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def closest(came: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that ``came`` was most likely meant to be; None: none is near."""
    near = [(SequenceMatcher(None, one, came, autojunk=False).ratio(), one) for one in known]
    ratio, best = max(near, default=(0.0, ""))
    return best if ratio > 0.6 else None


def difference(expected: str, came: str) -> str:
    """The first place where they differ, in words, and how many others there are."""
    changes = [
        (kind, expected[i1:i2], came[j1:j2], j1)
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, expected, came, autojunk=False).get_opcodes()
        if kind != "equal"
    ]
    if not changes:
        return "they do not differ"
    kind, wanted, got, at = changes[0]
    what = {
        "replace": f"{_shown(got)} instead of {_shown(wanted)}",
        "delete": f"{_shown(wanted)} is missing",
        "insert": f"{_shown(got)} is too much",
    }[kind]
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"at character {at + 1}: {what}{more}"


def _shown(text: str) -> str:
    return f"`{text}`" if text.isprintable() and text.isascii() else ascii(text)
