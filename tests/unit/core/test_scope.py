"""Scope values (RFC 6749 §3.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.errors import OAuthError
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope, is_scope_token
from tests.workbench import refused

tokens = st.text([chr(code) for code in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))], min_size=1, max_size=12)


@given(st.frozensets(tokens, max_size=6))
def test_what_is_printed_is_read_again(values: frozenset[str]) -> None:
    scope = Scope(values)
    assert Scope.parse(str(scope)) == scope
    assert list(filter(None, str(scope).split(" "))) == sorted(values)


@given(st.text(max_size=60))
def test_any_text_is_a_scope_or_refused(text: str) -> None:
    if all(map(is_scope_token, filter(None, text.split(" ")))):
        scope = Scope.parse(text)
        assert Scope.parse(str(scope)) == scope
    else:
        with refused(Rule.SCOPE_MALFORMED):
            Scope.parse(text)


MALFORMED = ["a\tb", "a\nb", 'a"b', "a\\b", "\u00e9", "a\x7f", "a\x00", "a\u00a0b"]


@pytest.mark.parametrize("text", MALFORMED)
def test_values_outside_the_grammar(text: str) -> None:
    with refused(Rule.SCOPE_MALFORMED):
        Scope.parse(text)
    # A refusal is not remembered as something else.
    with refused(Rule.SCOPE_MALFORMED):
        Scope.parse(text)


def test_order_and_repetition_carry_no_meaning() -> None:
    assert Scope.parse("b a  b") == Scope.parse("a b") == Scope.of(["a", "b"])
    assert hash(Scope.parse("b a")) == hash(Scope.parse("a b"))


def test_an_empty_scope_is_false() -> None:
    assert not Scope.parse("")
    assert not Scope.parse("  ")
    assert Scope.parse("a")


def test_within_names_what_is_too_much() -> None:
    granted = Scope.parse("a b")
    assert Scope.parse("a").within(granted, Rule.SCOPE_EXCEEDS_GRANT) == Scope.parse("a")
    with pytest.raises(OAuthError, match="not granted: c d"):
        Scope.parse("d c a").within(granted, Rule.SCOPE_EXCEEDS_GRANT)


def test_reserved_values_are_left_out_of_defaults() -> None:
    assert str(Scope.parse("authcenter:admin read").unreserved) == "read"
