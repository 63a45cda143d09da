"""How easily a password is guessed, by zxcvbn's estimate: what people pick, not what they were told to mix."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

# zxcvbn takes no more; what is strong in its first 72 characters is strong.
_MOST_CHARACTERS = 72

# Each further character that may stand for another multiplies what is tried: 72 of all of them took 1.6 s.
_MOST_STAND_INS = 8
_MOST_CHARACTERS_WITH_STAND_INS = 24

# Shorter words of an address or a name say nothing about whose password it is.
_LEAST_WORD = 3
_MOST_WORDS = 64


class Advice(StrEnum):
    """What makes a password easy to guess; messages call each ``password.advice.{value}``."""

    ABOUT_YOU = "about_you"
    COMMON = "common"
    WORD = "word"
    NAME = "name"
    KEYBOARD = "keyboard"
    REPEAT = "repeat"
    SEQUENCE = "sequence"
    DATE = "date"
    SUBSTITUTION = "substitution"
    MORE_WORDS = "more_words"


@dataclass(frozen=True, slots=True)
class Strength:
    """An estimate.

    Attributes:
        score: 0 (guessed at once) to 4 (very unlikely to be).
        guesses: The power of ten of the guesses that find it.
        common: Whether it is itself one of the 30,000 that people choose most.
        advice: What to do better, most telling first; empty for a strong one.
    """

    score: int
    guesses: float
    common: bool = False
    advice: tuple[Advice, ...] = ()


class StrengthEstimate:
    """Estimates, one at a time: zxcvbn keeps the words of whom it judges in a global, where another would find them."""

    def __init__(self) -> None:
        self._turn = Lock()

    def of(self, password: str, about: Iterable[str]) -> Strength:
        """How strong ``password`` is for somebody whom ``about`` tells of: names, addresses. Takes milliseconds.

        Args:
            password: Unicode text, of any length.
        """
        text = _judged(unicodedata.normalize("NFC", password))
        if not text:
            return Strength(0, 0.0, advice=(Advice.MORE_WORDS,))
        words = _words(about)
        with self._turn:
            found = import_module("zxcvbn").zxcvbn(text, user_inputs=words)
        common = text.lower() in _matching().RANKED_DICTIONARIES["passwords"]
        score = int(found["score"])
        advice = _advice(found["sequence"]) if score < 3 else ()
        return Strength(score, float(found["guesses_log10"]), common, advice)


@cache
def _matching() -> Any:
    # Not with this file: its dictionaries take 12 MB, and most processes are never asked about a password.
    return import_module("zxcvbn.matching")


@cache
def _stand_ins() -> frozenset[str]:
    return frozenset(character for characters in _matching().L33T_TABLE.values() for character in characters)


def _judged(text: str) -> str:
    if len(_stand_ins().intersection(text)) > _MOST_STAND_INS:
        return text[:_MOST_CHARACTERS_WITH_STAND_INS]
    return text[:_MOST_CHARACTERS]


def _words(about: Iterable[str]) -> list[str]:
    """Each of ``about`` as it stands, and the words it is made of."""
    words: dict[str, None] = {}
    for text in about:
        whole = unicodedata.normalize("NFC", text).lower()
        parts = "".join(character if character.isalnum() else " " for character in whole).split()
        for word in (whole[:_MOST_CHARACTERS], *parts):
            if len(word) >= _LEAST_WORD:
                words[word[:_MOST_CHARACTERS]] = None
    return list(words)[:_MOST_WORDS]


def _advice(sequence: Sequence[Mapping[str, Any]]) -> tuple[Advice, ...]:
    """About the longest part that has a pattern."""
    longest = max(sequence, key=lambda match: len(match["token"]), default=None)
    found = [] if longest is None else [*_about(longest)]
    return tuple(dict.fromkeys([*found, Advice.MORE_WORDS]))


def _about(match: Mapping[str, Any]) -> Iterable[Advice]:
    if match["pattern"] != "dictionary":
        advice = _PATTERNS.get(match["pattern"])
        return () if advice is None else (advice,)
    kind = _DICTIONARIES.get(match["dictionary_name"], Advice.WORD)
    return (kind, Advice.SUBSTITUTION) if match["l33t"] else (kind,)


_PATTERNS: Mapping[str, Advice] = {
    "spatial": Advice.KEYBOARD,
    "repeat": Advice.REPEAT,
    "sequence": Advice.SEQUENCE,
    "regex": Advice.DATE,
    "date": Advice.DATE,
}
_DICTIONARIES: Mapping[str, Advice] = {
    "user_inputs": Advice.ABOUT_YOU,
    "passwords": Advice.COMMON,
    "surnames": Advice.NAME,
    "male_names": Advice.NAME,
    "female_names": Advice.NAME,
}
