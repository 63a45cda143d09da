"""Every rule is raised and explained; every event and every error code is used."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

import authcenter
from authcenter.core.errors import ErrorCode, OAuthError, Reason, invalid_client, invalid_grant
from authcenter.core.event import EventKind
from authcenter.core.explanations import EXPLANATIONS
from authcenter.core.rules import Rule

PACKAGE = Path(authcenter.__file__).parent
ELSEWHERE = "\n".join(
    file.read_text() for file in PACKAGE.rglob("*.py") if file.name not in {"rules.py", "explanations.py", "event.py"}
)
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749 §5.2: what an ``error_description`` may be made of."""


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_an_explanation(rule: Rule) -> None:
    explanation = EXPLANATIONS[rule]
    assert explanation.cause.endswith(".")
    assert explanation.remedy.endswith((".", "?"))


@pytest.mark.parametrize(
    "name", [*(f"Rule.{rule.name}" for rule in Rule), *(f"EventKind.{kind.name}" for kind in EventKind)]
)
def test_every_rule_and_event_is_used(name: str) -> None:
    assert re.search(rf"\b{name}\b", ELSEWHERE), f"{name} is used nowhere"


@pytest.mark.parametrize("member", [*ErrorCode, *Reason])
def test_wire_values_are_plain_words(member: StrEnum) -> None:
    assert re.fullmatch(r"[a-z_]+", member)


def test_descriptions_are_what_rfc_6749_allows() -> None:
    texts = re.findall(r'"([A-Z][^"\n]{5,120}\.)"', ELSEWHERE)
    assert len(texts) > 20
    for refusal in (invalid_client(Rule.CLIENT_UNKNOWN, "x"), invalid_grant(Rule.USER_UNKNOWN, "x")):
        assert DESCRIPTION.fullmatch(refusal.description)


def test_a_hint_is_for_operators_only() -> None:
    refusal = invalid_grant(Rule.REFRESH_UNKNOWN, "the hint")
    assert isinstance(refusal, OAuthError)
    assert "the hint" not in refusal.description
    assert "the hint" in str(refusal)
