"""How a wrong value is told: pydantic's findings in the words of an operator, one line each."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

_MUST_BE = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "literal_error": "must be {expected}",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "model_type": "must be a mapping",
    "value_error": "{error}",
}


def sentence(error: ErrorDetails, *, echo: bool = True) -> str:
    """What is wrong with one value; ``echo`` off leaves out the value itself, for those that carry a secret."""
    context: dict[str, Any] = error.get("ctx") or {}
    said = _MUST_BE[error["type"]].format(**context) if error["type"] in _MUST_BE else error["msg"]
    return f"{said}{got(error['input'])}" if echo else said


def got(value: object) -> str:
    """The value in brackets, cut to a line; nothing for values too large to help."""
    if isinstance(value, dict | list | tuple):
        return ""
    if value is None:
        return " (is empty)"
    # ascii(): a control character or a line break must not forge a second line in a log.
    shown = ascii(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge number"
    return f" (got {shown if len(shown) <= 80 else shown[:77] + '...'})"


def suggestion(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the tail of a sentence."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""
