"""Reading JSON Lines, with problems named by line and field instead of stopping at the first."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. Never carries a value that could be a secret.

    Attributes:
        line: Counted from 1, blank lines included.
        field: The name of the field; empty where it is the line itself.
    """

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.message}" if self.field else f"line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line that holds a JSON object."""

    number: int
    fields: Mapping[str, Any]


class _Malformed(Exception):
    """A line that holds no JSON object, or one that readers disagree about."""


def read_json_lines(lines: Iterable[str]) -> Iterator[JsonLine | Problem]:
    """Read each line that is not blank; a byte order mark before the first is dropped.

    A file is best opened with ``errors="surrogateescape"``: a byte that is not UTF-8 then is a problem of its line
    only.
    """
    for number, line in enumerate(lines, 1):
        text = (line.removeprefix("\ufeff") if number == 1 else line).strip()
        if text:
            yield _read(number, text)


def _read(number: int, text: str) -> JsonLine | Problem:
    try:
        return JsonLine(number, _parse(text))
    except _Malformed as problem:
        return Problem(number, "", str(problem))


def _parse(text: str) -> dict[str, Any]:
    try:
        if len(text.encode()) > MAX_LINE_BYTES:
            raise _Malformed(f"over {MAX_LINE_BYTES} bytes")
        fields = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except UnicodeEncodeError as problem:
        raise _Malformed("not UTF-8") from problem
    except json.JSONDecodeError as problem:
        raise _Malformed(f"not JSON: {problem.msg} at column {problem.colno}") from problem
    except (ValueError, RecursionError) as problem:
        raise _Malformed("not JSON that can be read: a number too long, or nested too deep") from problem
    if not isinstance(fields, dict):
        raise _Malformed("not a JSON object")
    if not _storable(fields):
        raise _Malformed("holds a NUL or a lone surrogate")
    return fields


class Fields:
    """The fields of one line, asked for by name and type. What does not hold is collected in ``problems``."""

    def __init__(self, line: JsonLine, known: Collection[str]) -> None:
        self._line = line
        self.problems = [
            Problem(line.number, f"{name!a:.40}", "unknown field") for name in line.fields if name not in known
        ]

    def refuse(self, name: str, message: str) -> None:
        self.problems.append(Problem(self._line.number, name, message))

    def text(self, name: str, default: str | None = None) -> str:
        """A string; without a default it must be there, and not be empty."""
        value: object = self._line.fields.get(name, default)
        if not isinstance(value, str):
            self.refuse(name, "missing" if name not in self._line.fields else "not a string")
            return ""
        if not value and default is None:
            self.refuse(name, "empty")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._line.fields.get(name, default)
        if not isinstance(value, bool):
            self.refuse(name, "not true or false")
            return default
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """An array of strings."""
        value = self._line.fields.get(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            self.refuse(name, "not an array of strings")
            return default
        return tuple(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _Malformed("a field is there twice")
    return fields


def _refuse(constant: str) -> None:
    raise _Malformed(f"{constant} is not JSON")


def _storable(value: object) -> bool:
    """Whether every string in ``value`` can be kept by every database."""
    rest: list[object] = [value]
    while rest:
        match rest.pop():
            case str() as text:
                if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
                    return False
            case list() as items:
                rest.extend(items)
            case dict() as fields:
                rest.extend(fields)
                rest.extend(fields.values())
    return True
