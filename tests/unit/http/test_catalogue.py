"""The catalogue of messages is whole: what pages say exists in every language, with the same blanks to fill in."""

import json
import re
from importlib.resources import files
from string import Formatter

import pytest

from authcenter.core.rules import Rule

_FOLDER = files("authcenter")
_TEXTS: dict[str, dict[str, str]] = {
    file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in (_FOLDER / "messages").iterdir()
}
_TEMPLATES = {file.name: file.read_text("utf-8") for file in (_FOLDER / "templates").iterdir()}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", sorted(_TEXTS.keys() - {"en"}))
def test_a_language_says_all_that_english_says(language: str) -> None:
    english, other = _TEXTS["en"], _TEXTS[language]
    assert english.keys() == other.keys()
    assert {name: blanks(text) for name, text in english.items()} == {
        name: blanks(text) for name, text in other.items()
    }


@pytest.mark.parametrize("name", sorted(_TEMPLATES))
def test_what_a_template_says_exists(name: str) -> None:
    said = set(re.findall(r'\bt\("([a-z_.]+)"[,)]', _TEMPLATES[name]))
    assert said <= _TEXTS["en"].keys()
    assert not re.findall(r"<script(?! src)|<style|\sstyle=|\son\w+=", _TEMPLATES[name]), "inline: the CSP forbids it"


def test_texts_of_refusals_belong_to_rules() -> None:
    named = {name.removeprefix("refused.") for name in _TEXTS["en"] if name.startswith("refused.")}
    assert named <= set(Rule)
