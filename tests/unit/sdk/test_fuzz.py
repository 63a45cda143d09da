"""Any input: the verifier refuses it as a token that does not hold, at a bounded price, and remembers nothing of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.errors import TokenRejected
from authcenter.jose.jws import MAX_TOKEN_CHARACTERS
from authcenter.sdk.key_set import read_key_set
from authcenter.sdk.verifier import TokenVerifier
from tests.forgery import GOOD, forged, header_of, signed
from tests.unit.sdk.published import key_set, signing_key
from tests.unit.sdk.set_keys import SetKeys
from tests.workbench import API, ISSUER, SetClock

KEY = signing_key()


class CountedKey:
    """The published key, and how many signatures it has checked: what an input can cost beyond its length."""

    def __init__(self) -> None:
        self.published = read_key_set(key_set(KEY))[KEY.kid]
        self.kid, self.alg, self.checked = self.published.kid, self.published.alg, 0

    def verify(self, signature: bytes, data: bytes) -> None:
        self.checked += 1
        assert len(data) <= MAX_TOKEN_CHARACTERS
        self.published.verify(signature, data)


def refused(token: str) -> None:
    """Refused, by at most one check of a signature, and not remembered."""
    key = CountedKey()
    verifier = TokenVerifier(ISSUER, API, SetKeys(key), clock=SetClock())
    with pytest.raises(TokenRejected):
        verifier.check(token)
    assert key.checked <= 1
    assert not verifier._seen


@given(st.text(max_size=500))
def test_any_text(text: str) -> None:
    refused(text)


@given(st.binary(max_size=500))
def test_any_bytes_as_a_server_decodes_a_header(data: bytes) -> None:
    refused(data.decode("utf-8", "surrogateescape"))
    refused(data.decode("latin-1"))


@given(st.lists(st.text(alphabet="ABCxyz019-_=+/", max_size=60), max_size=6))
def test_any_parts(parts: list[str]) -> None:
    refused(".".join(parts))


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_header_and_any_payload_even_signed(data: bytes) -> None:
    refused(signed(KEY, data, json.dumps(GOOD).encode()))
    refused(signed(KEY, header_of(KEY), data))


@given(
    st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "jku", "x5u", "b64"]), anything, min_size=1)
)
def test_any_header_parameter(header: dict[str, Any]) -> None:
    verifier = TokenVerifier(ISSUER, API, SetKeys(KEY), clock=SetClock())
    honest = {"alg": KEY.alg.value, "typ": "at+jwt", "kid": KEY.kid} | header
    of_the_type = str(honest["typ"]).lower() in {"at+jwt", "application/at+jwt"}
    if not of_the_type or (honest["alg"], honest["kid"]) != (KEY.alg.value, KEY.kid) or "crit" in header:
        refused(forged(KEY, header=header))
    else:
        # What the header says of other keys is not believed and not looked at: the signature is the known key's.
        assert verifier.check(forged(KEY, header=header))


@given(st.dictionaries(st.sampled_from([*GOOD, "cnf", "sid", "auth_time"]), anything, min_size=1))
def test_any_claims_even_signed_either_hold_or_are_refused(claims: dict[str, Any]) -> None:
    verifier = TokenVerifier(ISSUER, API, SetKeys(KEY), clock=SetClock())
    try:
        held = verifier.check(forged(KEY, claims))
    except TokenRejected:
        return
    assert API in held.audience
    assert held.claims["iss"] == ISSUER
    assert "cnf" not in held.claims


@given(st.integers(0, 5_000), st.integers(1, 40), st.text(alphabet="ABCabc012-_.= \x00\u00e9", max_size=40))
def test_a_real_token_with_a_part_exchanged(at: int, length: int, with_: str) -> None:
    token = forged(KEY)
    start = at % len(token)
    mutant = token[:start] + with_ + token[start + length :]
    if mutant != token:
        refused(mutant)


DEEP = 7_000
HEAVY: list[Any] = [
    pytest.param(lambda: "." * MAX_TOKEN_CHARACTERS, id="dots"),
    pytest.param(lambda: "A" * (MAX_TOKEN_CHARACTERS + 1), id="over the limit"),
    pytest.param(lambda: "A" * 50_000_000, id="far over the limit"),
    pytest.param(lambda: "\u00e9" * MAX_TOKEN_CHARACTERS, id="not ASCII"),
    pytest.param(lambda: signed(KEY, b"[" * DEEP, b"{}"), id="a header nested deep"),
    pytest.param(lambda: signed(KEY, header_of(KEY), b'{"a":' * (DEEP // 5)), id="a payload nested deep"),
    pytest.param(lambda: signed(KEY, header_of(KEY), b'{"a":' + b"[" * DEEP + b"]" * 9), id="arrays nested deep"),
    pytest.param(lambda: signed(KEY, header_of(KEY), b'{"exp":' + b"9" * DEEP + b"}"), id="a long number"),
    pytest.param(lambda: signed(KEY, header_of(KEY), b'{"exp":1e' + b"9" * DEEP + b"}"), id="a huge exponent"),
    pytest.param(lambda: signed(KEY, b'{"a":0,' * 1_500 + b"}", b"{}"), id="many members"),
    pytest.param(lambda: forged(KEY, {"exp": float("1e300")}), id="an exp beyond all numbers"),
    pytest.param(lambda: forged(KEY, {"aud": ["x"] * 2_000}), id="many audiences"),
]


@pytest.mark.parametrize("make", HEAVY)
def test_an_input_made_to_be_costly_is_refused(make: Callable[[], str]) -> None:
    refused(make())
