"""The catalogue of messages: one JSON file a language, English being complete; and which one a reader prefers."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

DEFAULT_LANGUAGE = "en"
_MOST_RANGES = 20
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)


@dataclass(frozen=True, slots=True)
class Messages:
    """All messages of one language. What it lacks is said in English."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """The message ``name`` with ``values`` in its braces. Raises ``KeyError``: no such message."""
        return self.texts[name].format(**values)

    def get(self, name: str) -> str | None:
        """The message ``name`` as it stands, where there is one."""
        return self.texts.get(name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The languages there are."""

    languages: Mapping[str, Messages]

    def choose(self, preferred: Iterable[str], accept_language: str) -> Messages:
        """The first of ``preferred`` (BCP 47 tags) that there is, else the best that ``Accept-Language`` asks for.

        ``de-AT`` finds ``de`` (RFC 4647 §3.4). Headers that are not well-formed ask for nothing.
        """
        for tag in (*preferred, *accepted(accept_language)):
            parts = tag.lower().split("-")
            while parts:
                if (found := self.languages.get("-".join(parts))) is not None:
                    return found
                parts.pop()
        return self.languages[DEFAULT_LANGUAGE]


def load_catalogue() -> Catalogue:
    """The catalogue of this installation."""
    folder = files("authcenter") / "messages"
    texts = {
        file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }
    english = texts[DEFAULT_LANGUAGE]
    return Catalogue({language: Messages(language, english | own) for language, own in texts.items()})


def accepted(header: str) -> list[str]:
    """The tags of an ``Accept-Language`` header, the most wanted first (RFC 9110 §12.5.4)."""
    ranges: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_RANGES]:
        if (match := _RANGE.fullmatch(part)) is None:
            continue
        weight = float(match[2]) if match[2] else 1.0
        if weight and match[1] != "*":
            ranges.append((weight, match[1]))
    return [tag for _, tag in sorted(ranges, key=lambda row: -row[0])]
