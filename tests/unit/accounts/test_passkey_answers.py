"""Answers of browsers and authenticators that were tampered with, in whatever way, are refusals and no defects."""

import json
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.accounts.passkey_answers import Proof, RelyingParty, read_new_key
from authcenter.core import base64url
from authcenter.core.errors import OAuthError
from tests.passkey_device import EDDSA, ES256, RS256, Lie, PasskeyDevice

PARTY, CHALLENGE = RelyingParty.of("https://auth.example"), b"c" * 32
ASKED: dict[str, Any] = {
    "pubKeyCredParams": [{"alg": ES256}, {"alg": EDDSA}, {"alg": RS256}],
    "user": {"id": base64url.encode(b"usr_x")},
    "rp": {"id": "auth.example"},
    "rpId": "auth.example",
    "challenge": base64url.encode(CHALLENGE),
}
ODD = st.sampled_from([None, 1, True, [], {}, "", "x", "\u00e4", 1.5, "A" * 3])


@pytest.mark.parametrize(
    ("issuer", "host", "has_name"),
    [
        ("https://auth.example", "auth.example", True),
        ("https://auth.example:8443/tenant", "auth.example", True),
        ("http://localhost:8080", "localhost", True),
        ("http://127.0.0.1:8080", "127.0.0.1", False),
        ("https://[2001:db8::1]", "2001:db8::1", False),
    ],
)
def test_passkeys_are_for_hosts_with_a_name(issuer: str, host: str, has_name: bool) -> None:
    party = RelyingParty.of(issuer)
    assert (party.host, party.has_name) == (host, has_name)
    assert party.origin == "/".join(issuer.split("/")[:3])


def _answer(question: str) -> dict[str, Any]:
    # By EdDSA, whose signatures are all of one length: the examples must not hang on the key.
    device = PasskeyDevice(EDDSA, handle=b"usr_x")
    written = device.create(ASKED) if question == "create" else device.get(ASKED)
    answer: dict[str, Any] = json.loads(written)
    return answer


def _read(question: str, answer: dict[str, Any]) -> None:
    text = json.dumps(answer)
    if question == "create":
        read_new_key(text, PARTY, CHALLENGE)
    else:
        Proof.read(text).check(PARTY, CHALLENGE, PasskeyDevice(EDDSA).public_key())


@pytest.mark.parametrize("question", ["create", "get"])
@given(data=st.data())
def test_altered_bytes_are_refused(question: str, data: st.DataObject) -> None:
    answer = _answer(question)
    signed = ["clientDataJSON", "authenticatorData", "signature"]
    name = data.draw(st.sampled_from(["attestationObject"] if question == "create" else signed))
    raw = base64url.decode(answer["response"][name])
    start = data.draw(st.integers(0, len(raw) - 1))
    replaced, put = data.draw(st.integers(0, 4)), data.draw(st.binary(max_size=4))
    altered = raw[:start] + put + raw[start + replaced :]
    answer["response"][name] = base64url.encode(altered)
    if question == "get" and altered != raw:
        with pytest.raises(OAuthError):
            _read(question, answer)
    else:
        # Much of what a new key is told with is its device's own word.
        with suppress(OAuthError):
            _read(question, answer)


@pytest.mark.parametrize("question", ["create", "get"])
@given(data=st.data(), value=ODD)
def test_odd_members_are_refused(question: str, data: st.DataObject, value: object) -> None:
    answer = _answer(question)
    holder = data.draw(st.sampled_from([answer, answer["response"]]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = value
    with suppress(OAuthError):
        _read(question, answer)


MEMBERS = st.dictionaries(
    st.sampled_from([1, 3, -1, -2, -3]),
    st.one_of(st.integers(-300, 300), st.binary(max_size=40), st.none(), st.text(max_size=3), st.just([1])),
)


@given(members=MEMBERS)
def test_odd_keys_are_refused(members: dict[int, object]) -> None:
    with suppress(OAuthError):
        read_new_key(PasskeyDevice().create(ASKED, Lie(key=cbor2.dumps(members))), PARTY, CHALLENGE)
