"""Request objects (RFC 9101): what a client signed counts, and nothing else does; no input is more than a refusal."""

import json
from typing import Any

import msgspec
import pytest

from authcenter.authorization.request_objects import RequestObjects
from authcenter.clients.keys import ClientKeys
from authcenter.core.client import Client, Profile
from authcenter.core.errors import OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from authcenter.stores.remote.fetch import GuardedFetch
from tests.forgery import ABSENT
from tests.unit.authorization.signing import FOREIGN_KEY, NOW, header_of, jwks, request_object, sign
from tests.unit.authorization.test_authorize import GOOD, REDIRECT
from tests.workbench import API, ISSUER, OTHER_API, SetClock, refused

ASKED = {name: value for name, value in GOOD.items() if name != "client_id"}
HOUR = 3_600
EVIL = "https://evil.example/"


def client_of(profile: Profile = Profile.OAUTH21, **party: Any) -> Client:
    """A client with a key of each algorithm."""
    return msgspec.convert(
        {
            "client_id": "shop",
            "name": "",
            "profile": profile,
            "auth_methods": [],
            "grants": ["authorization_code"],
            "scopes": {"values": ["openid"]},
            "audiences": [],
            "serves": [],
            "redirect_uris": [REDIRECT],
            "origins": [],
            "first_party": False,
            "lifetimes": {},
            "on_outage": None,
            "secrets": [],
            "created_at": "2030-01-01T00:00:00Z",
            "updated_at": "2030-01-01T00:00:00Z",
            "relying_party": {"jwks": jwks(), **party},
        },
        Client,
    )


def client_keys() -> ClientKeys:
    return ClientKeys(GuardedFetch(lambda: ()), SetClock())


def reader() -> RequestObjects:
    return RequestObjects(client_keys(), ISSUER, SetClock(), lambda: 30)


async def read(written: str, client: Client | None = None) -> Form:
    return await reader().read(written, client or client_of())


GOOD_ONES = [
    *(pytest.param({}, {"alg": alg}, id=alg) for alg in Alg),
    pytest.param({"aud": ["https://other.example", ISSUER]}, {}, id="several audiences"),
    pytest.param({"iss": ABSENT}, {}, id="client_id alone"),
    pytest.param({"client_id": ABSENT}, {}, id="iss alone"),
    pytest.param({"nbf": ABSENT, "exp": ABSENT}, {}, id="no time"),
    pytest.param({"nbf": NOW + 8, "iat": NOW + 8}, {}, id="a clock that is ahead"),
    pytest.param({"exp": NOW - 8}, {}, id="a clock that is behind"),
    pytest.param({"nbf": NOW - HOUR + 1, "exp": NOW + HOUR - 1}, {}, id="as long as may be"),
    pytest.param({"exp": NOW + 0.5}, {}, id="half seconds"),
    pytest.param({"sub": "usr_1", "jti": "1", "unknown": {"a": [1]}}, {}, id="more claims"),
    pytest.param({}, {"header": {"typ": "JWT"}}, id="typ JWT"),
    pytest.param({}, {"header": {"typ": ABSENT}}, id="no typ"),
    pytest.param({}, {"header": {"kid": ABSENT}}, id="no kid"),
]


@pytest.mark.parametrize(("claims", "how"), GOOD_ONES)
async def test_what_a_client_signed_is_read(claims: dict[str, Any], how: dict[str, Any]) -> None:
    assert await read(request_object({**ASKED, **claims}, **how)) == Form(ASKED)


async def test_values_that_are_no_text_are_read_as_a_form_would_have_them() -> None:
    claims = {"userinfo": {"name": {"essential": True}}}
    form = await read(request_object({"max_age": 30, "claims": claims, "resource": [API, OTHER_API]}))
    assert form.get("max_age") == "30"
    assert json.loads(form.get("claims") or "") == claims
    assert form.resources == (API, OTHER_API)
    assert (await read(request_object({"resource": API}))).resources == (API,)


BAD_ONES = [
    pytest.param({"aud": "https://other.example"}, Rule.REQUEST_OBJECT_PARTIES, id="another audience"),
    pytest.param({"aud": ISSUER + "/"}, Rule.REQUEST_OBJECT_PARTIES, id="almost the issuer"),
    pytest.param({"aud": f"{ISSUER}/oauth/par"}, Rule.REQUEST_OBJECT_PARTIES, id="an endpoint"),
    pytest.param({"aud": {ISSUER: 1}}, Rule.REQUEST_OBJECT_PARTIES, id="audience an object"),
    pytest.param({"aud": ABSENT}, Rule.REQUEST_OBJECT_PARTIES, id="no audience"),
    pytest.param({"aud": []}, Rule.REQUEST_OBJECT_PARTIES, id="empty audience"),
    pytest.param({"iss": "other"}, Rule.REQUEST_OBJECT_PARTIES, id="another issuer"),
    pytest.param({"iss": ["shop"]}, Rule.REQUEST_OBJECT_PARTIES, id="issuer a list"),
    pytest.param({"client_id": "other"}, Rule.REQUEST_OBJECT_PARTIES, id="another client"),
    pytest.param({"iss": ABSENT, "client_id": ABSENT}, Rule.REQUEST_OBJECT_PARTIES, id="by nobody"),
    pytest.param({"sub": "shop"}, Rule.REQUEST_OBJECT_PARTIES, id="a client assertion"),
    pytest.param({"exp": NOW - 30}, Rule.REQUEST_OBJECT_TIME, id="expired"),
    pytest.param({"exp": NOW + 70 * 60}, Rule.REQUEST_OBJECT_TIME, id="expires too late"),
    pytest.param({"nbf": NOW + 61}, Rule.REQUEST_OBJECT_TIME, id="not yet"),
    pytest.param({"iat": NOW + 61}, Rule.REQUEST_OBJECT_TIME, id="signed in the future"),
    pytest.param({"nbf": NOW - 61 * 60}, Rule.REQUEST_OBJECT_TIME, id="begun too long ago"),
    pytest.param({"exp": 10**400}, Rule.REQUEST_OBJECT_TIME, id="a number beyond all"),
    pytest.param({"exp": str(NOW + 300)}, Rule.REQUEST_OBJECT_MALFORMED, id="a time as text"),
    pytest.param({"exp": True}, Rule.REQUEST_OBJECT_MALFORMED, id="a time that is true"),
    pytest.param({"nbf": None}, Rule.REQUEST_OBJECT_MALFORMED, id="a time that is null"),
    pytest.param({"request": "a.b.c"}, Rule.REQUEST_OBJECT_PARAMETERS, id="an object inside"),
    pytest.param({"request_uri": "urn:x"}, Rule.REQUEST_OBJECT_PARAMETERS, id="a reference inside"),
    pytest.param({"state": 1}, Rule.REQUEST_OBJECT_MALFORMED, id="state a number"),
    pytest.param({"state": None}, Rule.REQUEST_OBJECT_MALFORMED, id="state null"),
    pytest.param({"state": "\0"}, Rule.REQUEST_OBJECT_MALFORMED, id="a NUL"),
    pytest.param({"nonce": "\ud800"}, Rule.REQUEST_OBJECT_MALFORMED, id="half a pair"),
    pytest.param({"max_age": True}, Rule.REQUEST_OBJECT_MALFORMED, id="max_age that is true"),
    pytest.param({"max_age": 1.5}, Rule.REQUEST_OBJECT_MALFORMED, id="half a second"),
    pytest.param({"scope": ["openid"]}, Rule.REQUEST_OBJECT_MALFORMED, id="scope a list"),
    pytest.param({"claims": []}, Rule.REQUEST_OBJECT_MALFORMED, id="claims a list"),
    pytest.param({"claims": {"userinfo": {"\0": None}}}, Rule.REQUEST_OBJECT_MALFORMED, id="claims with a NUL"),
    pytest.param({"claims": {"userinfo": {"a": {"value": 2**64}}}}, Rule.REQUEST_OBJECT_MALFORMED, id="large claims"),
    pytest.param({"resource": 1}, Rule.REQUEST_OBJECT_MALFORMED, id="resource a number"),
    pytest.param({"resource": [API] * 21}, Rule.REQUEST_OBJECT_MALFORMED, id="many resources"),
]


@pytest.mark.parametrize(("claims", "rule"), BAD_ONES)
async def test_what_is_signed_but_does_not_hold_is_refused(claims: dict[str, Any], rule: Rule) -> None:
    with refused(rule):
        await read(request_object({**ASKED, **claims}))


def hmac_of_the_public_key() -> str:
    """The old confusion: a public key taken for the secret of an HMAC."""
    return sign(b'{"alg":"HS256"}', json.dumps({"iss": "shop", "aud": ISSUER, **ASKED}).encode())


FORGED = [
    pytest.param(lambda: request_object(ASKED, number=FOREIGN_KEY), Rule.REQUEST_OBJECT_SIGNATURE, id="foreign key"),
    pytest.param(
        lambda: request_object(ASKED, header={"kid": "unknown"}), Rule.REQUEST_OBJECT_SIGNATURE, id="unknown kid"
    ),
    pytest.param(
        lambda: request_object(ASKED, Alg.RS256, header={"alg": "PS256", "kid": ABSENT}),
        Rule.REQUEST_OBJECT_SIGNATURE,
        id="another algorithm than it says",
    ),
    pytest.param(
        lambda: request_object(ASKED).rpartition(".")[0] + "." + "A" * 86, Rule.REQUEST_OBJECT_SIGNATURE, id="zeros"
    ),
    pytest.param(
        lambda: request_object(ASKED).rpartition(".")[0] + ".", Rule.REQUEST_OBJECT_SIGNATURE, id="no signature"
    ),
    pytest.param(lambda: request_object(ASKED, header={"alg": "none"}), Rule.REQUEST_OBJECT_ALGORITHM, id="none"),
    pytest.param(lambda: request_object(ASKED, header={"alg": "NONE"}), Rule.REQUEST_OBJECT_ALGORITHM, id="NONE"),
    pytest.param(
        lambda: request_object(ASKED, header={"alg": "none"}).rpartition(".")[0] + ".",
        Rule.REQUEST_OBJECT_ALGORITHM,
        id="none without a signature",
    ),
    pytest.param(hmac_of_the_public_key, Rule.REQUEST_OBJECT_ALGORITHM, id="HMAC"),
    pytest.param(
        lambda: request_object(ASKED, header={"alg": ["ES256"]}), Rule.REQUEST_OBJECT_ALGORITHM, id="alg list"
    ),
    pytest.param(lambda: request_object(ASKED, header={"alg": ABSENT}), Rule.REQUEST_OBJECT_ALGORITHM, id="no alg"),
    pytest.param(
        lambda: request_object(ASKED, header={"typ": "client-authentication+jwt"}),
        Rule.REQUEST_OBJECT_MALFORMED,
        id="another type",
    ),
    pytest.param(lambda: request_object(ASKED, header={"typ": 1}), Rule.REQUEST_OBJECT_MALFORMED, id="type a number"),
    pytest.param(lambda: request_object(ASKED, header={"kid": 1}), Rule.REQUEST_OBJECT_MALFORMED, id="kid a number"),
    pytest.param(lambda: request_object(ASKED, header={"crit": []}), Rule.REQUEST_OBJECT_MALFORMED, id="crit"),
    pytest.param(
        lambda: request_object(ASKED, header={"jwk": jwks(Alg.ES256)["keys"][0], "kid": "other"}),
        Rule.REQUEST_OBJECT_SIGNATURE,
        id="its own key",
    ),
    pytest.param(lambda: "a.b.c.d.e", Rule.REQUEST_OBJECT_MALFORMED, id="encrypted"),
    pytest.param(lambda: "x", Rule.REQUEST_OBJECT_MALFORMED, id="one part"),
    pytest.param(lambda: "é.é.é", Rule.REQUEST_OBJECT_MALFORMED, id="not ASCII"),
    pytest.param(lambda: sign(header_of(Alg.ES256), b"[]"), Rule.REQUEST_OBJECT_MALFORMED, id="a list"),
    pytest.param(
        lambda: sign(header_of(Alg.ES256), b'{"state":"a","state":"b"}'), Rule.REQUEST_OBJECT_MALFORMED, id="twice"
    ),
    pytest.param(
        lambda: sign(header_of(Alg.ES256), b'{"aud":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        None,
        id="nested deeply",
    ),
]


@pytest.mark.parametrize(("make", "rule"), FORGED)
async def test_what_the_client_did_not_sign_so_is_refused(make: Any, rule: Rule | None) -> None:
    with pytest.raises(OAuthError) as caught:
        await read(make())
    assert caught.value.code == "invalid_request_object"
    assert rule is None or caught.value.rule is rule, caught.value


@pytest.mark.parametrize(
    ("profile", "party", "alg", "claims", "rule"),
    [
        pytest.param(Profile.OIDC, {"request_object_signing_alg": "ES256"}, Alg.ES256, {}, None, id="as registered"),
        pytest.param(
            Profile.OIDC,
            {"request_object_signing_alg": "PS256"},
            Alg.ES256,
            {},
            Rule.REQUEST_OBJECT_ALGORITHM,
            id="another than registered",
        ),
        pytest.param(
            Profile.OIDC,
            {"request_object_signing_alg": "none"},
            Alg.ES256,
            {},
            Rule.REQUEST_OBJECT_ALGORITHM,
            id="none registered",
        ),
        pytest.param(Profile.FAPI2, {}, Alg.PS256, {}, None, id="fapi2"),
        pytest.param(Profile.FAPI2, {}, Alg.RS256, {}, Rule.REQUEST_OBJECT_ALGORITHM, id="fapi2, RS256"),
        pytest.param(Profile.FAPI2, {}, Alg.ES256, {"exp": ABSENT}, Rule.REQUEST_OBJECT_TIME, id="fapi2, no exp"),
        pytest.param(Profile.FAPI2, {}, Alg.ES256, {"nbf": ABSENT}, Rule.REQUEST_OBJECT_TIME, id="fapi2, no nbf"),
        pytest.param(Profile.OIDC, {"jwks": None}, Alg.ES256, {}, Rule.REQUEST_OBJECT_SIGNATURE, id="no keys"),
        pytest.param(Profile.OIDC, {"jwks": {}}, Alg.ES256, {}, Rule.REQUEST_OBJECT_SIGNATURE, id="empty keys"),
        pytest.param(
            Profile.OIDC, {"jwks": {"keys": [1, {}]}}, Alg.ES256, {}, Rule.REQUEST_OBJECT_SIGNATURE, id="no keys at all"
        ),
        pytest.param(
            Profile.OIDC,
            {"jwks": jwks(Alg.ES256, use="enc")},
            Alg.ES256,
            {},
            Rule.REQUEST_OBJECT_SIGNATURE,
            id="for encryption",
        ),
        pytest.param(Profile.OIDC, {"jwks": jwks(Alg.RS256, alg=ABSENT)}, Alg.RS256, {}, None, id="a key without alg"),
        pytest.param(
            Profile.OIDC,
            {"jwks": jwks(Alg.RS256, alg="RS512")},
            Alg.RS256,
            {},
            Rule.REQUEST_OBJECT_SIGNATURE,
            id="a key for an algorithm we lack",
        ),
        pytest.param(
            Profile.OIDC,
            {"jwks": jwks(Alg.ES256, x="AA")},
            Alg.ES256,
            {},
            Rule.REQUEST_OBJECT_SIGNATURE,
            id="a point off the curve",
        ),
    ],
)
async def test_what_the_client_registered_and_its_profile_decide(
    profile: Profile, party: dict[str, Any], alg: Alg, claims: dict[str, Any], rule: Rule | None
) -> None:
    written = request_object({**ASKED, **claims}, alg)
    if rule is None:
        assert await read(written, client_of(profile, **party)) == Form(ASKED)
        return
    with refused(rule):
        await read(written, client_of(profile, **party))


async def test_a_key_without_alg_serves_both_algorithms_of_rsa() -> None:
    client = client_of(jwks=jwks(Alg.RS256, alg=ABSENT, kid=ABSENT))
    assert [key.alg for key in await client_keys().keys_of(client, None)] == [Alg.RS256, Alg.PS256]
    assert not await client_keys().keys_of(client, "named")
