"""The words of mails: one JSON file a language, of which each has every kind."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Formatter
from typing import Any

from authcenter.core.mail import MailKind

_DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class MailWords:
    """What one mail says, filled in.

    Attributes:
        button: What the link is for; empty where the kind has none.
    """

    subject: str
    greeting: str
    before: tuple[str, ...]
    button: str
    link_in_words: str
    after: tuple[str, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class MailCatalogue:
    """The words by language, and in it by kind."""

    languages: Mapping[str, Mapping[str, Any]]

    def language(self, wanted: str) -> str:
        """The language that ``wanted`` (a BCP 47 tag) gets: ``de`` for ``de-AT``, English where there is none."""
        parts = wanted.lower().split("-")
        while parts and "-".join(parts) not in self.languages:
            parts.pop()
        return "-".join(parts) or _DEFAULT_LANGUAGE

    def words(self, kind: MailKind, language: str, values: Mapping[str, str]) -> MailWords:
        """What ``kind`` says in a ``language`` of the catalogue. A sentence that lacks one of its values is left out.

        Raises:
            KeyError: The catalogue does not have the kind.
        """
        words = self.languages[language]
        own = words[kind]
        return MailWords(
            subject=own["subject"].format_map(values),
            greeting=_filled(words["greeting"], values)[0],
            before=_filled(own["before"], values),
            button=own.get("button", ""),
            link_in_words=words["link_in_words"],
            after=_filled(own["after"], values),
            footer=words["footer"].format_map(values),
        )


def load_mail_catalogue() -> MailCatalogue:
    """The catalogue of this installation."""
    folder = files("authcenter") / "mails"
    return MailCatalogue(
        {
            file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".json")
        }
    )


def _filled(sentences: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sentence.format_map(values) for sentence in sentences if _names(sentence) <= values.keys())


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
