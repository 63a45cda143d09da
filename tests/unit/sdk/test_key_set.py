"""Key sets from outside: which of their keys verify."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.base64url import encode
from authcenter.jose.algorithms import Alg
from authcenter.sdk.key_set import MOST_KEYS, read_key_set
from tests.unit.sdk.published import key_set, signing_key

ES256 = dict(signing_key().public_jwk)
ABSENT = object()


def changed(**members: Any) -> dict[str, Any]:
    jwk = {**ES256, **members}
    return {name: value for name, value in jwk.items() if value is not ABSENT}


def weak_rsa() -> dict[str, Any]:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers()
    return {"kty": "RSA", "n": encode(numbers.n.to_bytes(128, "big")), "e": "AQAB", "kid": "w", "alg": "RS256"}


def p384() -> dict[str, Any]:
    point = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    x, y = encode(point.x.to_bytes(48, "big")), encode(point.y.to_bytes(48, "big"))
    return {"kty": "EC", "crv": "P-384", "x": x, "y": y, "kid": "p384", "alg": "ES384"}


LEFT_OUT = [
    pytest.param(changed(kid=ABSENT), id="no kid"),
    pytest.param(changed(kid=7), id="kid a number"),
    pytest.param(changed(alg=ABSENT), id="no alg"),
    pytest.param(changed(alg="none"), id="alg none"),
    pytest.param(changed(alg="HS256"), id="alg HS256"),
    pytest.param(changed(alg="RS256"), id="alg of another kind of key"),
    pytest.param(changed(alg=["ES256"]), id="alg an array"),
    pytest.param(changed(use="enc"), id="for encryption"),
    pytest.param(changed(use=["sig"]), id="use an array"),
    pytest.param(changed(key_ops=["sign"]), id="key_ops without verify"),
    pytest.param(changed(key_ops=[]), id="key_ops empty"),
    pytest.param(changed(key_ops="verify"), id="key_ops a string"),
    pytest.param(changed(d="AQAB"), id="a private key"),
    pytest.param({"kty": "oct", "k": "AQAB", "kid": "o", "alg": "ES256"}, id="a shared secret"),
    pytest.param(changed(x="AQAB"), id="not on the curve"),
    pytest.param(changed(x=ABSENT), id="half a point"),
    pytest.param(changed(x=1), id="x a number"),
    pytest.param(changed(x=ES256["x"] + "="), id="x padded"),
    pytest.param(changed(crv="secp256k1"), id="another curve by name"),
    pytest.param(changed(crv=ABSENT), id="no curve"),
    pytest.param(p384(), id="another curve"),
    pytest.param(changed(kty="ec"), id="kty in another case"),
    pytest.param(changed(kty=["EC"]), id="kty an array"),
    pytest.param(weak_rsa(), id="RSA of 1,024 bits"),
    pytest.param({**signing_key(Alg.RS256).public_jwk, "n": "_" * 4_000}, id="RSA of 24,000 bits"),
    pytest.param("a string", id="no object"),
    pytest.param(None, id="null"),
]


@pytest.mark.parametrize("jwk", LEFT_OUT)
def test_a_key_that_must_not_verify_is_left_out_and_the_others_stay(jwk: Any) -> None:
    other = signing_key(Alg.EDDSA)
    assert set(read_key_set(json.dumps({"keys": [jwk, other.public_jwk]}).encode())) == {other.kid}


def test_keys_that_share_a_kid_are_all_left_out() -> None:
    one, other = signing_key(), signing_key(Alg.EDDSA)
    twin = {**signing_key(number=1).public_jwk, "kid": one.kid}
    document = json.dumps({"keys": [one.public_jwk, other.public_jwk, twin]}).encode()
    assert set(read_key_set(document)) == {other.kid}


@pytest.mark.parametrize("alg", Alg)
def test_a_key_of_each_algorithm_verifies_what_it_signed(alg: Alg) -> None:
    key = signing_key(alg)
    (read,) = read_key_set(key_set(key)).values()
    read.verify(key.sign(b"data"), b"data")
    assert (read.kid, read.alg) == (key.kid, alg.value)


REFUSED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"<html>", id="a page"),
    pytest.param(b"[]", id="an array"),
    pytest.param(b"{}", id="no keys"),
    pytest.param(b'{"keys": {}}', id="keys an object"),
    pytest.param(b'{"keys": [], "keys": []}', id="keys twice"),
    pytest.param(b'{"keys": [{"kid": "a", "kid": "b"}]}', id="a member of a key twice"),
    pytest.param(b'{"keys": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", id="nested deep"),
    pytest.param(b'{"keys": [], "x": ' + b"9" * 5_000 + b"}", id="a number of 5,000 digits"),
    pytest.param(b'{"keys": []}\xff', id="not UTF-8"),
    pytest.param(json.dumps({"keys": [{}] * (MOST_KEYS + 1)}).encode(), id="too many"),
]


@pytest.mark.parametrize("document", REFUSED)
def test_a_document_that_is_no_key_set_is_refused_whole(document: bytes) -> None:
    with pytest.raises(ValueError):
        read_key_set(document)


def test_a_set_without_a_usable_key_is_one() -> None:
    assert read_key_set(b'{"keys": []}') == {}


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([*ES256, "n", "e", "key_ops", "d"]), anything | st.sampled_from([*ES256.values()])
        ),
        max_size=3,
    )
)
def test_no_key_breaks_the_reading_of_a_set(keys: list[Any]) -> None:
    for kid in read_key_set(json.dumps({"keys": keys}).encode()):
        assert isinstance(kid, str)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading_of_a_set(document: bytes) -> None:
    try:
        read_key_set(document)
    except ValueError:
        return
