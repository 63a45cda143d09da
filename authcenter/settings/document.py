"""Documents written by people: YAML or JSON to plain values, refusing all that is ambiguous or hostile.

Stricter than YAML on purpose: no key twice, no anchors or aliases (a few lines of them expand to gigabytes), no tags
(they name types to build), no second document, dates stay text, and a bound on size and depth.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

_PLAIN_TYPES = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")}
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class DocumentError(Exception):
    """A text that is no document. The message is one line and quotes keys and positions, never values."""


def parse_document(text: str) -> Any:
    """Read one document: dicts with text keys, lists, text, numbers, booleans, None. Nothing but comments is None.

    Raises:
        DocumentError: Not UTF-8, too large, too deep, not YAML or JSON, or one of the constructs refused above.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise DocumentError("must be UTF-8 text") from None
    if size > MAX_BYTES:
        raise DocumentError(f"must be at most {MAX_BYTES} bytes (is {size})")
    if text.lstrip().startswith("{"):
        # JSON first: YAML claims to contain it, yet refuses tabs for indentation.
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=float)
        except (ValueError, RecursionError):
            return _parse_yaml(text)
    return _parse_yaml(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise DocumentError(f"the key {key!a:.80} is given twice")
        values[key] = value
    return values


def _parse_yaml(text: str) -> Any:
    # Newer and older versions of YAML disagree about what a mark in mid-text means; nobody writes one on purpose.
    loader = _LOADER(text.removeprefix("\ufeff"))
    try:
        return _Builder(loader).document()
    except yaml.YAMLError as error:
        raise DocumentError(_one_line(error)) from None
    finally:
        loader.dispose()


def _one_line(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"is neither YAML nor JSON: {' '.join(str(problem or 'unreadable character').split())}{where}"


def _line(event: yaml.Event) -> str:
    return f"in line {event.start_mark.line + 1}" if event.start_mark else "somewhere"


class _Builder:
    """Builds values from parser events, which unlike nodes cost no recursion before the depth is known."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._events: Iterator[yaml.Event] = iter(loader.get_event, None)

    def document(self) -> Any:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 0)
        next(self._events)  # the end of the document
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise DocumentError("must be a single document")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise DocumentError(f"is nested more than {MAX_DEPTH} levels deep {line}")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DocumentError(f"anchors and aliases are not supported {line}: write the value out")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line)
        if isinstance(event, yaml.SequenceStartEvent):
            self._refuse_tag(event.tag, line)
            return [self._value(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
        self._refuse_tag(getattr(event, "tag", None), line)  # what is left can only begin a mapping
        return _without_duplicates([self._pair(key, depth) for key in self._until(yaml.MappingEndEvent)])

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _pair(self, key: yaml.Event, depth: int) -> tuple[str, Any]:
        if not isinstance(key, yaml.ScalarEvent):
            raise DocumentError(f"keys must be text {_line(key)}")
        if key.anchor:
            raise DocumentError(f"anchors and aliases are not supported {_line(key)}")
        self._refuse_tag(key.tag, _line(key))
        # Keys are text as written: `off: 1` names the key "off", not the boolean.
        return key.value, self._value(next(self._events), depth + 1)

    def _refuse_tag(self, tag: str | None, line: str) -> None:
        if tag is not None:
            raise DocumentError(f"tags are not supported {line}: {tag!a:.80}")

    def _scalar(self, event: yaml.ScalarEvent, line: str) -> Any:
        self._refuse_tag(event.tag, line)
        tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in _PLAIN_TYPES:
            raise DocumentError(f"merge keys and other special values are not supported {line}: {event.value!a:.20}")
        kind = tag.rpartition(":")[2]
        if kind in ("str", "timestamp"):
            return event.value
        try:
            return getattr(self._loader, f"construct_yaml_{kind}")(yaml.ScalarNode(tag, event.value))
        except (ValueError, IndexError):
            # YAML 1.1 recognises numbers by a pattern that also matches text such as `0b_` or four thousand digits.
            return event.value
