"""Reading access tokens: each check by a token made to fail it alone."""

import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from tests.forgery import ABSENT, GOOD, forged, header_of, signed, twin
from tests.workbench import API, ISSUER, START, Workbench, rejected, stored_key

NOW = int(START.timestamp())
LEEWAY = 30


def row(identity: str, claims: dict[str, Any], rule: Rule, reason: Reason) -> Any:
    return pytest.param(claims, rule, reason, id=identity)


MALFORMED = (Rule.TOKEN_MALFORMED, Reason.MALFORMED)
CLAIMS = [
    row("expired, past the leeway", {"exp": NOW - LEEWAY}, Rule.TOKEN_EXPIRED, Reason.EXPIRED),
    row("not valid yet", {"nbf": NOW + LEEWAY + 1}, Rule.TOKEN_NOT_YET_VALID, Reason.NOT_YET_VALID),
    row("issued in the future", {"iat": NOW + LEEWAY + 1}, Rule.TOKEN_ISSUED_IN_FUTURE, Reason.ISSUED_IN_FUTURE),
    row("of another issuer", {"iss": "https://evil.example"}, Rule.TOKEN_ISSUER, Reason.ISSUER),
    row("issuer with a slash", {"iss": ISSUER + "/"}, Rule.TOKEN_ISSUER, Reason.ISSUER),
    row("no audience", {"aud": ABSENT}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE),
    row("empty audience", {"aud": ""}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE),
    row("empty audiences", {"aud": []}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE),
    row("audience not a string", {"aud": [API, 1]}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE),
    row("audience an object", {"aud": {"a": 1}}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE),
    *(row(f"no {name}", {name: ABSENT}, *MALFORMED) for name in ("iss", "sub", "client_id", "jti", "exp", "iat")),
    *(row(f"{name} a number", {name: 1}, *MALFORMED) for name in ("iss", "sub", "client_id", "jti", "fam", "sid")),
    *(row(f"{name} null", {name: None}, *MALFORMED) for name in ("iss", "sub", "exp", "iat", "nbf", "fam")),
    *(row(f"{name} a string", {name: str(NOW)}, *MALFORMED) for name in ("exp", "iat", "nbf")),
    *(row(f"{name} true", {name: True}, *MALFORMED) for name in ("exp", "iat", "nbf")),
    *(row(f"{name} negative", {name: -1}, *MALFORMED) for name in ("exp", "iat", "nbf")),
    row("exp beyond all time", {"exp": 1 << 60}, *MALFORMED),
    row("exp beyond all numbers", {"exp": 1e308 * 0.9}, *MALFORMED),
]


@pytest.mark.parametrize(("claims", "rule", "reason"), CLAIMS)
async def test_a_signed_token_whose_claims_do_not_hold(
    bench: Workbench, claims: dict[str, Any], rule: Rule, reason: Reason
) -> None:
    with rejected(rule, reason):
        await bench.core.verifier.read(forged(bench.signer, claims))


BORDERS = [
    pytest.param({"exp": NOW - LEEWAY + 1}, id="expired, a second within the leeway"),
    pytest.param({"nbf": NOW + LEEWAY}, id="nbf at the leeway"),
    pytest.param({"iat": NOW + LEEWAY}, id="iat at the leeway"),
    pytest.param({"nbf": ABSENT}, id="no nbf"),
    pytest.param({"exp": NOW + 1.5, "iat": float(NOW)}, id="NumericDates with fractions"),
    pytest.param({"aud": [API, "urn:b"]}, id="several audiences"),
    pytest.param({"fam": ABSENT, "scope": ABSENT}, id="without what is optional"),
]


@pytest.mark.parametrize("claims", BORDERS)
async def test_a_token_just_inside_the_border_holds(bench: Workbench, claims: dict[str, Any]) -> None:
    held = await bench.core.verifier.read(forged(bench.signer, claims))
    assert held.client_id == "app"


HEADERS = [
    row("an ID token", {"typ": "JWT"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("no typ", {"typ": ABSENT}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("typ not a string", {"typ": ["at+jwt"]}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("an introspection answer", {"typ": "token-introspection+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("unknown kid", {"kid": "nobody"}, Rule.TOKEN_KID, Reason.KID),
    row("no kid", {"kid": ABSENT}, Rule.TOKEN_KID, Reason.KID),
    row("kid not a string", {"kid": ["x"]}, Rule.TOKEN_KID, Reason.KID),
    row("kid a number", {"kid": 1}, Rule.TOKEN_KID, Reason.KID),
    row("alg none", {"alg": "none"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("no alg", {"alg": ABSENT}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("alg of another key", {"alg": "RS256"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("alg in another case", {"alg": "es256"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("alg not a string", {"alg": {"a": 1}}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("crit", {"crit": ["exp"]}, *MALFORMED),
    row("crit, empty", {"crit": []}, *MALFORMED),
]


@pytest.mark.parametrize(("header", "rule", "reason"), HEADERS)
async def test_a_signed_token_whose_header_does_not_hold(
    bench: Workbench, header: dict[str, Any], rule: Rule, reason: Reason
) -> None:
    with rejected(rule, reason):
        await bench.core.verifier.read(forged(bench.signer, header=header))


async def test_typ_may_be_written_in_full_and_in_any_case(bench: Workbench) -> None:
    for token_type in ("at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT"):
        assert await bench.core.verifier.read(forged(bench.signer, header={"typ": token_type}))


def _respelled(change: Any) -> Any:
    """A good token with one part of its text changed."""
    return lambda token: ".".join(change(token.split(".")))


TEXTS = [
    pytest.param(lambda token: "", Rule.TOKEN_MALFORMED, id="empty"),
    pytest.param(lambda token: "..", Rule.TOKEN_MALFORMED, id="dots"),
    pytest.param(lambda token: token + ".", Rule.TOKEN_MALFORMED, id="four parts"),
    pytest.param(lambda token: token.rpartition(".")[0], Rule.TOKEN_MALFORMED, id="two parts"),
    pytest.param(lambda token: token + " ", Rule.TOKEN_MALFORMED, id="a blank behind"),
    pytest.param(lambda token: "\n" + token, Rule.TOKEN_MALFORMED, id="a line break before"),
    pytest.param(lambda token: token + "A" * 16_384, Rule.TOKEN_MALFORMED, id="oversized"),
    pytest.param(_respelled(lambda p: [p[0] + "=", p[1], p[2]]), Rule.TOKEN_MALFORMED, id="padded header"),
    pytest.param(_respelled(lambda p: [p[0], p[1] + "=", p[2]]), Rule.TOKEN_SIGNATURE, id="padded payload"),
    pytest.param(_respelled(lambda p: [p[0], p[1], p[2] + "=="]), Rule.TOKEN_MALFORMED, id="padded signature"),
    pytest.param(_respelled(lambda p: [p[0], p[1] + "\u00e9", p[2]]), Rule.TOKEN_MALFORMED, id="payload not ASCII"),
    pytest.param(_respelled(lambda p: ["\u00e9" + p[0], p[1], p[2]]), Rule.TOKEN_MALFORMED, id="header not ASCII"),
    pytest.param(_respelled(lambda p: [p[0], p[1], p[2][:-1] + "\u00e9"]), Rule.TOKEN_MALFORMED, id="sig not ASCII"),
    pytest.param(_respelled(lambda p: [p[0], "\ud800", p[2]]), Rule.TOKEN_MALFORMED, id="a lone surrogate"),
    pytest.param(_respelled(lambda p: [p[0], p[1], ""]), Rule.TOKEN_SIGNATURE, id="no signature"),
    pytest.param(_respelled(lambda p: [p[0], p[1], p[2][:4]]), Rule.TOKEN_SIGNATURE, id="signature cut short"),
    pytest.param(_respelled(lambda p: [p[0], p[1], "A" * 86]), Rule.TOKEN_SIGNATURE, id="r and s zero"),
    pytest.param(_respelled(lambda p: [p[0], p[1], "_" * 85 + "w"]), Rule.TOKEN_SIGNATURE, id="r and s above n"),
]


@pytest.mark.parametrize(("change", "rule"), TEXTS)
async def test_a_token_respelled(bench: Workbench, change: Any, rule: Rule) -> None:
    token = forged(bench.signer)
    assert await bench.core.verifier.read(token)
    with rejected(rule):
        await bench.core.verifier.read(change(token))


async def test_spare_bits_of_the_signature_must_be_zero(bench: Workbench) -> None:
    token = forged(bench.signer)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    for spare in range(1, 4):
        with rejected(Rule.TOKEN_MALFORMED):
            await bench.core.verifier.read(token[:-1] + alphabet[last | spare])


PAYLOADS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"[]", id="an array"),
    pytest.param(b"null", id="null"),
    pytest.param(b'"text"', id="a string"),
    pytest.param(b"{", id="cut short"),
    pytest.param(json.dumps(GOOD).encode()[:-1] + b',"sub":"admin"}', id="a member twice"),
    pytest.param(json.dumps(GOOD).encode()[:-1] + b',"x":{"a":1,"a":2}}', id="a member of a member twice"),
    pytest.param(json.dumps(GOOD).encode()[:-1] + b',"x":NaN}', id="NaN"),
    pytest.param(json.dumps({**GOOD, "exp": 0}).replace('"exp": 0', '"exp": Infinity').encode(), id="Infinity"),
    pytest.param(json.dumps(GOOD).encode()[:-1] + b',"x":' + b"9" * 5_000 + b"}", id="a number of 5,000 digits"),
    pytest.param(b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}", id="nested deep"),
    pytest.param(json.dumps(GOOD).encode("utf-16"), id="UTF-16"),
    pytest.param(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), id="a byte order mark"),
    pytest.param(b'{"x":"\xff"}', id="not UTF-8"),
    pytest.param(b'{"x":"\xed\xa0\x80"}', id="a surrogate in UTF-8"),
]


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_a_signed_payload_that_is_no_json_object(bench: Workbench, payload: bytes) -> None:
    with rejected(Rule.TOKEN_MALFORMED, Reason.MALFORMED):
        await bench.core.verifier.read(signed(bench.signer, header_of(bench.signer), payload))


@pytest.mark.parametrize("header", PAYLOADS)
async def test_a_header_that_is_no_json_object(bench: Workbench, header: bytes) -> None:
    with rejected(Rule.TOKEN_MALFORMED, Reason.MALFORMED):
        await bench.core.verifier.read(signed(bench.signer, header, json.dumps(GOOD).encode()))


async def test_keys_do_not_stand_in_for_each_other(bench: Workbench) -> None:
    """Algorithm confusion: each key verifies by its own algorithm only, whatever the header says."""
    for alg in (Alg.RS256, Alg.PS256):
        bench.record.tables.keys[stored_key(alg).kid] = stored_key(alg)
    await bench.core.keys.reload()
    ring = bench.core.keys.ring
    rs256, ps256, es256 = (ring.signing[alg] for alg in (Alg.RS256, Alg.PS256, Alg.ES256))
    pem = rs256.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    attempts = [
        (forged(rs256, header={"alg": "PS256"}), Rule.TOKEN_ALGORITHM),
        (forged(rs256, header={"alg": "HS256"}, sign=lambda data: hmac.digest(pem, data, "sha256")), None),
        (forged(rs256, sign=lambda data: hmac.digest(pem, data, "sha256")), Rule.TOKEN_SIGNATURE),
        (forged(rs256, header={"kid": ps256.kid, "alg": "PS256"}), Rule.TOKEN_SIGNATURE),
        (forged(rs256, header={"kid": es256.kid, "alg": "ES256"}), Rule.TOKEN_SIGNATURE),
        (forged(es256, header={"alg": "none"}, sign=lambda _: b""), Rule.TOKEN_ALGORITHM),
        (forged(ps256, sign=lambda data: ps256.private.sign(data, padding.PKCS1v15(), SHA256())), Rule.TOKEN_SIGNATURE),
    ]
    for token, rule in attempts:
        with rejected(rule or Rule.TOKEN_ALGORITHM):
            await bench.core.verifier.read(token)


async def test_a_key_in_the_token_counts_for_nothing(bench: Workbench, waits: list[float]) -> None:
    own = stored_key(Alg.ES256, 1)
    jwk = {**own.public_jwk}
    for header in ({"jwk": jwk, "kid": own.kid}, {"jku": "https://evil.example/jwks", "kid": own.kid}):
        with rejected(Rule.TOKEN_KID):
            await bench.core.verifier.read(forged(bench.signer, header=header))


async def test_who_asks_whether_it_was_issued_here_may_learn_it_of_an_expired_and_a_revoked_one(
    bench: Workbench,
) -> None:
    token = (await bench.ask("client_credentials")).access
    await bench.revoke(token)
    bench.clock.advance(10_000)
    assert (await bench.core.verifier.read_issued(token)).client_id == "app"
    with pytest.raises(TokenRejected):
        await bench.core.verifier.read(token)


async def test_the_twin_of_a_revoked_token_is_revoked_and_a_sibling_is_not(bench: Workbench) -> None:
    token, sibling = [(await bench.ask("client_credentials")).access for _ in range(2)]
    other = twin(token)
    assert other != token
    assert (await bench.core.verifier.read(other)).digest == (await bench.core.verifier.read(token)).digest
    assert await bench.revoke(token) is None
    for refused_now in (token, other):
        with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
            await bench.core.verifier.read(refused_now)
    assert await bench.core.verifier.read(sibling)


async def test_revoking_the_twin_revokes_the_token(bench: Workbench) -> None:
    token = (await bench.ask("client_credentials")).access
    assert await bench.revoke(twin(token)) is None
    assert not await bench.active(token)
