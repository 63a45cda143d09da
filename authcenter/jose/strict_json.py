"""JSON objects as strictly as tokens and key sets need them (RFC 8259 §4, RFC 7515 §4, RFC 8725 §2.4)."""

import json
from collections import Counter
from typing import Any


class RepeatedMember(ValueError):
    """A member stands twice in one object: two readers may see two documents.

    Attributes:
        name: Which.
    """

    def __init__(self, name: str) -> None:
        super().__init__("a member stands twice")
        self.name = name


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object that ``data`` is.

    Raises:
        RepeatedMember: An object in it, at any depth, names a member twice.
        ValueError: Not UTF-8, not JSON, nested too deep, or not an object.
    """
    try:
        # Decoded here: of bytes, json guesses the encoding, and UTF-16 is no JWT (RFC 7519 §7.1).
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as problem:
        raise ValueError("nested too deep") from problem
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - of the text, not of an argument
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        times = Counter(name for name, _ in pairs)
        raise RepeatedMember(max(times, key=times.__getitem__))
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
