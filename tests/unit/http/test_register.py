"""Dynamic registration over HTTP: every member good and bad, and the life of a client that registered itself."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from authcenter.core.client import AuthMethod, Profile
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk
from tests.far_server import FarServer, far_server
from tests.unit.http.requests import basic
from tests.workbench import ISSUER, Workbench, private_key

PATH = "/oauth/register"
OPEN = "registration: {mode: open}"
ALL = "registration: {mode: open, grants: [authorization_code, refresh_token, client_credentials]}"
LOCAL = "fetch: {allow_private: [127.0.0.0/8]}"
CALLBACK = "https://app.example/cb"
GOOD: dict[str, Any] = {"redirect_uris": [CALLBACK]}
EVERYTHING = "address email offline_access openid phone profile"
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
KEY = signature_jwk(private_key(Alg.ES256).public_key(), Alg.ES256)


@pytest.fixture
async def far() -> AsyncIterator[FarServer]:
    async with far_server() as server:
        yield server


async def registered(web: aiohttp.ClientSession, status: int = 201, token: str = "", **changes: Any) -> dict[str, Any]:
    """Post good metadata with changes; None takes a member out."""
    document = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with web.post(PATH, json=document, headers=headers) as answer:
        told: dict[str, Any] = await answer.json()
        assert status == 201 or DESCRIPTION.fullmatch(told["error_description"])
        assert answer.status == status, told
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content_type == "application/json"
        return told


async def managed(
    web: aiohttp.ClientSession, method: str, of: dict[str, Any], status: int, token: str | None = None, **document: Any
) -> Any:
    """A request to the client configuration endpoint."""
    headers = {"Authorization": f"Bearer {of['registration_access_token'] if token is None else token}"}
    body = document if method == "PUT" else None
    path = of["registration_client_uri"].removeprefix(ISSUER)
    async with web.request(method, path, json=body, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == status, text
        if status == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        return json.loads(text) if text else None


async def test_a_client_gets_all_there_is_to_know(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web)
    client_id = told["client_id"]
    assert told.pop("client_secret")
    assert told.pop("registration_access_token")
    assert told == {
        "client_id": client_id,
        "client_id_issued_at": int(bench.clock.seconds()),
        "client_secret_expires_at": 0,
        "registration_client_uri": f"{ISSUER}{PATH}/{client_id}",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
        "subject_type": "public",
        "scope": EVERYTHING,
        "require_auth_time": False,
        "require_pushed_authorization_requests": False,
        "backchannel_logout_session_required": False,
        "frontchannel_logout_session_required": False,
    }
    client = await bench.core.clients.get(client_id)
    assert (client.profile, client.first_party, client.relying_party.dynamic) == (Profile.OIDC, False, True)
    assert (client.audiences, client.serves) == ((), frozenset())


FULL: dict[str, Any] = {
    "redirect_uris": [CALLBACK, "https://app.example/cb?bar=foo"],
    "response_types": ["code"],
    "grant_types": ["authorization_code", "refresh_token"],
    "application_type": "web",
    "contacts": ["ops@app.example"],
    "client_name": "App",
    "client_name#de": "Anwendung",
    "client_name#ja-Jpan-JP": "アプリ",
    "logo_uri": "https://app.example/logo.png",
    "logo_uri#de": "https://app.example/logo.de.png",
    "client_uri": "https://app.example/",
    "policy_uri": "https://app.example/policy",
    "tos_uri": "https://app.example/tos",
    "jwks": {"keys": [KEY, {"kty": "OKP", "crv": "X25519", "use": "enc", "x": "AAAA"}]},
    "subject_type": "pairwise",
    "id_token_signed_response_alg": "ES256",
    "userinfo_signed_response_alg": "RS256",
    "request_object_signing_alg": "PS256",
    "authorization_signed_response_alg": "EdDSA",
    "token_endpoint_auth_method": "client_secret_post",
    "default_max_age": 3600,
    "require_auth_time": True,
    "default_acr_values": ["urn:a", "urn:b"],
    "initiate_login_uri": "https://app.example/login",
    "post_logout_redirect_uris": ["https://app.example/out"],
    "backchannel_logout_uri": "https://app.example/backchannel",
    "backchannel_logout_session_required": True,
    "frontchannel_logout_uri": "https://app.example/frontchannel?a=b",
    "frontchannel_logout_session_required": True,
    "require_pushed_authorization_requests": True,
    "scope": "openid email",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "1.2.3",
}


async def test_every_member_is_kept_and_told(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web, **FULL)
    assert {name: told[name] for name in FULL} == {**FULL, "scope": "email openid"}
    client = await bench.core.clients.get(told["client_id"])
    assert client.relying_party.sector == "app.example"
    assert client.auth_methods == {AuthMethod.SECRET_POST}
    own = await managed(web, "GET", told, 200)
    assert {name: own[name] for name in FULL} == {**FULL, "scope": "email openid"}


ACCEPTED = [
    pytest.param({"made_up": {"x": 1}, "request_uris": ["https://app.example/r"]}, {}, id="unknown members"),
    pytest.param({"client_name": None, "contacts": None, "jwks": None}, {}, id="nulls"),
    pytest.param({"client_id": "mine", "client_secret": "mine"}, {}, id="an id and a secret of its own are ignored"),
    pytest.param({"scope": ""}, {}, id="no scope at all"),
    pytest.param({"scope": "openid  openid email"}, {"scope": "email openid"}, id="a scope twice"),
    pytest.param({"token_endpoint_auth_method": "none"}, {"client_secret": None}, id="public"),
    pytest.param(
        {"redirect_uris": None, "grant_types": ["client_credentials"]},
        {"response_types": [], "redirect_uris": []},
        id="a service",
    ),
    pytest.param(
        {
            "application_type": "native",
            "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/"],
        },
        {},
        id="native",
    ),
    pytest.param({"application_type": "native", "redirect_uris": ["http://localhost:1234/cb"]}, {}, id="localhost"),
    pytest.param({"application_type": "native", "redirect_uris": [CALLBACK]}, {}, id="native, claimed https"),
    pytest.param({"redirect_uris": ["https://app.example:8443/cb?x=%20"]}, {}, id="port and query"),
    pytest.param({"redirect_uris": [CALLBACK, CALLBACK]}, {"redirect_uris": [CALLBACK]}, id="twice the same"),
    pytest.param({"jwks_uri": "https://app.example/keys"}, {"jwks_uri": "https://app.example/keys"}, id="jwks_uri"),
    pytest.param({"default_max_age": 0}, {"default_max_age": 0}, id="max age 0"),
    pytest.param({"require_signed_request_object": False}, {}, id="what is not served, not wanted"),
    pytest.param({"post_logout_redirect_uris": ["com.example.app:/out"]}, {}, id="out to an app"),
]


@pytest.mark.parametrize(("changes", "expected"), ACCEPTED)
async def test_sound_metadata_is_registered(
    bench: Workbench, web: aiohttp.ClientSession, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    bench.offer(ALL)
    told = await registered(web, **changes)
    assert {name: told.get(name) for name in expected} == expected
    assert told["client_id"].startswith("dyn_")


URI_MEMBERS = [
    *("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "jwks_uri", "sector_identifier_uri"),
    *("backchannel_logout_uri", "frontchannel_logout_uri", "logo_uri#de"),
]
NO_URIS = [
    pytest.param("http://app.example/x", id="http"),
    pytest.param("https://app.example/x#", id="fragment"),
    pytest.param("https://user@app.example/x", id="user info"),
    pytest.param("https:///x", id="no host"),
    pytest.param("/x", id="relative"),
    pytest.param("javascript:alert(1)", id="javascript"),
    pytest.param("data:text/html,x", id="data"),
    pytest.param('https://app.example/"><script>', id="markup"),
    pytest.param("https://app.example/ x", id="blank"),
    pytest.param("https://app.example/" + "x" * 2_000, id="endless"),
    pytest.param("https://äpp.example/", id="not ASCII"),
    pytest.param(1, id="a number"),
    pytest.param(["https://app.example/"], id="an array"),
]


@pytest.mark.parametrize("uri", NO_URIS)
@pytest.mark.parametrize("member", URI_MEMBERS)
async def test_what_is_no_uri_is_refused(
    bench: Workbench, web: aiohttp.ClientSession, member: str, uri: object
) -> None:
    bench.offer(f"{OPEN}\nrate_limits: {{client_auth_failures_per_ip: 1000/second}}")
    told = await registered(web, 400, **{member: uri})
    assert told["error"] == "invalid_client_metadata"
    assert told["error_description"].startswith(member.partition("#")[0])


REDIRECTS = [
    pytest.param(None, id="none"),
    pytest.param([], id="empty"),
    pytest.param("https://app.example/cb", id="not an array"),
    pytest.param([1], id="numbers"),
    pytest.param([""], id="empty text"),
    pytest.param(["https://app.example/cb#x"], id="fragment"),
    pytest.param(["https://app.example/cb#"], id="empty fragment"),
    pytest.param(["http://app.example/cb"], id="http"),
    pytest.param(["https://localhost/cb"], id="localhost"),
    pytest.param(["https://LOCALHOST:8080/cb"], id="LOCALHOST"),
    pytest.param(["https://127.0.0.1/cb"], id="loopback"),
    pytest.param(["http://127.0.0.1/cb"], id="http loopback"),
    pytest.param(["com.example.app:/cb"], id="an app's scheme for a web client"),
    pytest.param(["https://user:x@app.example/cb"], id="user info"),
    pytest.param(["javascript:alert(1)"], id="javascript"),
    pytest.param(["//app.example/cb"], id="no scheme"),
    pytest.param(["https://app.example/c b"], id="blank"),
    pytest.param(["https://app.example/ünï"], id="not ASCII"),
    pytest.param([CALLBACK, "https://app.example/cb#x"], id="one good, one bad"),
    pytest.param([f"https://app.example/{number}" for number in range(51)], id="too many"),
]
NATIVE_REDIRECTS = [
    pytest.param(["http://app.example/cb"], id="http beyond loopback"),
    pytest.param(["http://127.0.0.1.evil.example/cb"], id="nearly loopback"),
    pytest.param(["myapp:/cb"], id="a scheme anybody can have"),
    pytest.param(["com.example.app:cb"], id="no path"),
    pytest.param(["com.example.app:/cb#x"], id="fragment"),
    pytest.param(["javascript:alert(1)"], id="javascript"),
    pytest.param(["data:text/html,x"], id="data"),
]


@pytest.mark.parametrize("uris", REDIRECTS)
async def test_bad_redirect_uris_are_refused(bench: Workbench, web: aiohttp.ClientSession, uris: object) -> None:
    bench.offer(OPEN)
    assert (await registered(web, 400, redirect_uris=uris))["error"] == "invalid_redirect_uri"


@pytest.mark.parametrize("uris", NATIVE_REDIRECTS)
async def test_bad_redirect_uris_of_apps_are_refused(
    bench: Workbench, web: aiohttp.ClientSession, uris: object
) -> None:
    bench.offer(OPEN)
    told = await registered(web, 400, redirect_uris=uris, application_type="native")
    assert told["error"] == "invalid_redirect_uri"


PRIVATE = {"kty": "EC", "crv": "P-256", "x": KEY["x"], "y": KEY["y"], "d": "AAAA"}
BAD = [
    pytest.param({"response_types": ["id_token"]}, "response_types", id="implicit response"),
    pytest.param({"response_types": ["code", "code id_token"]}, "response_types", id="hybrid response"),
    pytest.param({"response_types": []}, "response_types", id="no response type with the code grant"),
    pytest.param(
        {"grant_types": ["client_credentials"], "response_types": ["code"]}, "response_types", id="code without grant"
    ),
    pytest.param({"grant_types": ["implicit"]}, "grant_types", id="implicit"),
    pytest.param({"grant_types": ["password"]}, "grant_types", id="a grant the policy does not list"),
    pytest.param({"grant_types": []}, "grant_types", id="no grant"),
    pytest.param({"grant_types": "authorization_code"}, "grant_types", id="grants as text"),
    pytest.param({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method", id="private_key_jwt"),
    pytest.param({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method", id="secret_jwt"),
    pytest.param({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method", id="mTLS"),
    pytest.param({"token_endpoint_auth_method": 1}, "token_endpoint_auth_method", id="method as number"),
    pytest.param(
        {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
        "grant_types",
        id="public service",
    ),
    pytest.param({"application_type": "tv"}, "application_type", id="another type"),
    pytest.param({"contacts": "ops@app.example"}, "contacts", id="contacts as text"),
    pytest.param({"contacts": ["a\nb"]}, "contacts", id="line break"),
    pytest.param({"contacts": [""]}, "contacts", id="empty contact"),
    pytest.param({"contacts": ["x"] * 51}, "contacts", id="many contacts"),
    pytest.param({"client_name": 1}, "client_name", id="name as number"),
    pytest.param({"client_name": "a\nb"}, "client_name", id="line break in the name"),
    pytest.param({"client_name": "x" * 256}, "client_name", id="endless name"),
    pytest.param({"client_name#de": "x" * 256}, "client_name", id="endless name in German"),
    pytest.param({"client_name#<b>": "x"}, "client_name", id="no language"),
    pytest.param({"client_name#": "x"}, "client_name", id="empty language"),
    pytest.param({"scope": "openid admin"}, "scope", id="a scope the policy does not list"),
    pytest.param({"scope": "authcenter:admin"}, "scope", id="a scope of the server"),
    pytest.param({"scope": ["openid"]}, "scope", id="scope as array"),
    pytest.param({"jwks": {"keys": [KEY]}, "jwks_uri": "https://app.example/k"}, "jwks_uri", id="both kinds of keys"),
    pytest.param({"jwks": []}, "jwks", id="set as array"),
    pytest.param({"jwks": {}}, "jwks", id="no keys"),
    pytest.param({"jwks": {"keys": []}}, "jwks", id="empty set"),
    pytest.param({"jwks": {"keys": [KEY] * 21}}, "jwks", id="many keys"),
    pytest.param({"jwks": {"keys": ["x"]}}, "jwks", id="keys as text"),
    pytest.param({"jwks": {"keys": [{}]}}, "jwks", id="no kty"),
    pytest.param({"jwks": {"keys": [{**KEY, "x-note": {"deep": 1}}]}}, "jwks", id="an object in a key"),
    pytest.param({"jwks": {"keys": [{**KEY, "x-note": 2**64}]}}, "jwks", id="a large number in a key"),
    pytest.param({"jwks": {"keys": [PRIVATE]}}, "jwks", id="a private key"),
    pytest.param({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks", id="a symmetric key"),
    pytest.param({"jwks": {"keys": [{**KEY, "alg": ["ES256"], "x": [], "y": {}}]}}, "jwks", id="members of any type"),
    pytest.param({"jwks": {"keys": [{**KEY, "x": "AA"}]}}, "jwks", id="not on the curve"),
    pytest.param({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB" * 50, "e": "AQAB"}]}}, "jwks", id="a small RSA key"),
    pytest.param(
        {"subject_type": "pairwise", "application_type": "native", "redirect_uris": ["com.example.app://[x"]},
        "sector_identifier_uri",
        id="pairwise without a host",
    ),
    pytest.param({"subject_type": "secret"}, "subject_type", id="another subject type"),
    pytest.param(
        {"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://other.example/cb"]},
        "sector_identifier_uri",
        id="pairwise with two hosts",
    ),
    *(
        pytest.param({name: alg}, name, id=f"{name} {alg}")
        for name in (
            "id_token_signed_response_alg",
            "userinfo_signed_response_alg",
            "request_object_signing_alg",
            "authorization_signed_response_alg",
        )
        for alg in ("none", "HS256", "RS512", 1)
    ),
    pytest.param({"default_max_age": -1}, "default_max_age", id="negative max age"),
    pytest.param({"default_max_age": 2**31}, "default_max_age", id="endless max age"),
    pytest.param({"default_max_age": "60"}, "default_max_age", id="max age as text"),
    pytest.param({"default_max_age": True}, "default_max_age", id="max age as flag"),
    pytest.param({"default_max_age": 1.5}, "default_max_age", id="half a second"),
    pytest.param({"require_auth_time": "true"}, "require_auth_time", id="flag as text"),
    pytest.param(
        {"backchannel_logout_session_required": 1}, "backchannel_logout_session_required", id="flag as number"
    ),
    pytest.param({"default_acr_values": "urn:a"}, "default_acr_values", id="acr as text"),
    pytest.param({"post_logout_redirect_uris": ["http://app.example/"]}, "post_logout_redirect_uris", id="out by http"),
    pytest.param({"post_logout_redirect_uris": ["https://a.b/#x"]}, "post_logout_redirect_uris", id="out, fragment"),
    pytest.param({"post_logout_redirect_uris": ["javascript:x"]}, "post_logout_redirect_uris", id="out by javascript"),
    pytest.param(
        {"frontchannel_logout_uri": "https://other.example/out"},
        "frontchannel_logout_uri",
        id="another's front channel",
    ),
    pytest.param(
        {"frontchannel_logout_uri": "https://app.example:444/out"}, "frontchannel_logout_uri", id="another port"
    ),
    pytest.param({"software_id": "x" * 256}, "software_id", id="endless software id"),
    pytest.param({"id_token_encrypted_response_alg": "RSA-OAEP"}, "id_token_encrypted_response_alg", id="encryption"),
    pytest.param({"dpop_bound_access_tokens": True}, "dpop_bound_access_tokens", id="DPoP"),
    pytest.param({"require_signed_request_object": True}, "require_signed_request_object", id="signed requests only"),
]


@pytest.mark.parametrize(("changes", "member"), BAD)
async def test_metadata_that_does_not_hold_is_refused_by_name(
    bench: Workbench, web: aiohttp.ClientSession, changes: dict[str, Any], member: str
) -> None:
    bench.offer(ALL)
    told = await registered(web, 400, **changes)
    assert told["error"] == "invalid_client_metadata"
    assert told["error_description"].startswith(f"{member} ")
    assert not [one for one in bench.record.tables.clients if one.startswith("dyn_")]


STATEMENTS = [
    pytest.param("a.b.c", "unapproved_software_statement", id="of an issuer we do not trust"),
    pytest.param("x", "invalid_software_statement", id="no JWT"),
    pytest.param({"x": 1}, "invalid_software_statement", id="no text"),
]


@pytest.mark.parametrize(("statement", "error"), STATEMENTS)
async def test_software_statements_are_refused(
    bench: Workbench, web: aiohttp.ClientSession, statement: object, error: str
) -> None:
    bench.offer(OPEN)
    assert (await registered(web, 400, software_statement=statement))["error"] == error


BODIES = [
    pytest.param(b"{", "application/json", 400, id="not JSON"),
    pytest.param(b"[]", "application/json", 400, id="an array"),
    pytest.param(b"\xff", "application/json", 400, id="not UTF-8"),
    pytest.param(b'{"a": 1, "a": 2}', "application/json", 400, id="a member twice"),
    pytest.param(b'{"default_max_age": NaN}', "application/json", 400, id="NaN"),
    pytest.param(b'{"default_max_age": 1e999}', "application/json", 400, id="infinity"),
    pytest.param(b'{"client_name": "\\u0000"}', "application/json", 400, id="NUL"),
    pytest.param(b'{"client_name": "\\ud800"}', "application/json", 400, id="half a surrogate pair"),
    pytest.param(b"[" * 60_000, "application/json", 400, id="deep"),
    pytest.param(b'{"x": "' + b"x" * 65_536 + b'"}', "application/json", 413, id="large"),
    pytest.param(b"redirect_uris=x", "application/x-www-form-urlencoded", 400, id="a form"),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BODIES)
async def test_what_is_no_json_object_is_refused(
    bench: Workbench, web: aiohttp.ClientSession, body: bytes, content_type: str, status: int
) -> None:
    bench.offer(OPEN)
    async with web.post(PATH, data=body, headers={"Content-Type": content_type}) as answer:
        assert answer.status == status
        assert (await answer.json())["error"] == "invalid_request"


async def test_off_means_that_there_is_nothing(bench: Workbench, web: aiohttp.ClientSession) -> None:
    assert (await registered(web, 404))["error"] == "not_found"
    async with web.get("/.well-known/openid-configuration") as answer:
        assert "registration_endpoint" not in await answer.json()


@pytest.mark.parametrize("mode", ["open", "token"])
async def test_on_it_is_announced(bench: Workbench, web: aiohttp.ClientSession, mode: str) -> None:
    bench.offer(f"registration: {{mode: {mode}}}")
    async with web.get("/.well-known/openid-configuration") as answer:
        document = await answer.json()
    assert document["registration_endpoint"] == f"{ISSUER}{PATH}"
    assert document["subject_types_supported"] == ["public", "pairwise"]


async def test_the_policy_says_what_a_client_may_be(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("registration: {mode: open, profile: oauth21, grants: [authorization_code], scopes: [a, b]}")
    told = await registered(web)
    assert told["scope"] == "a b"
    assert (await bench.core.clients.get(told["client_id"])).profile is Profile.OAUTH21
    await registered(web, 400, grant_types=["authorization_code", "refresh_token"])
    await registered(web, 400, scope="openid")


async def test_no_fapi_client_can_register_yet(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("registration: {mode: open, profile: fapi2}")
    told = await registered(web, 400)
    assert told["error_description"].startswith("token_endpoint_auth_method ")


async def test_scopes_of_the_server_are_never_given(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("registration: {mode: open, scopes: [openid, 'authcenter:admin']}")
    assert (await registered(web))["scope"] == "openid"
    await registered(web, 400, scope="authcenter:admin")


async def test_a_registered_client_gets_tokens(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(ALL)
    for method in ("client_secret_basic", "client_secret_post"):
        told = await registered(
            web, redirect_uris=None, grant_types=["client_credentials"], token_endpoint_auth_method=method
        )
        form, headers = {"grant_type": "client_credentials"}, {}
        if method == "client_secret_post":
            form |= {"client_id": told["client_id"], "client_secret": told["client_secret"]}
        else:
            headers = basic(told["client_id"], told["client_secret"])
        async with web.post("/oauth/token", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()


async def test_ids_and_secrets_are_all_different(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = [await registered(web) for _ in range(10)]
    for name in ("client_id", "client_secret", "registration_access_token"):
        assert len({one[name] for one in told}) == 10


async def test_no_secret_is_kept_in_clear(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web)
    kept = repr(bench.record.tables) + bench.lines.getvalue() + repr(bench.log.calls)
    assert told["client_secret"] not in kept
    assert told["registration_access_token"] not in kept


async def test_who_registers_too_often_has_to_wait(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(f"{OPEN}\nrate_limits: {{client_auth_failures_per_ip: 3/minute}}")
    for _ in range(3):
        await registered(web)
    assert (await registered(web, 429))["error"] == "temporarily_unavailable"
    bench.clock.advance(21)
    await registered(web)


async def test_with_an_initial_access_token_as_often_as_it_says(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("registration: {mode: token}")
    made, secret = await bench.core.initial_tokens.create(timedelta(hours=1), 2, "tests")
    await registered(web, 401)
    await registered(web, 401, token="aci_wrong")
    assert (await registered(web, 400, token=secret.reveal(), redirect_uris=[]))["error"] == "invalid_redirect_uri"
    for _ in range(2):
        await registered(web, token=secret.reveal())
    await registered(web, 401, token=secret.reveal())
    actors = [event.actor for event in bench.events if event.kind == "client.created"]
    assert actors == [f"initial_token:{made.token_id}"] * 2


async def test_an_initial_access_token_lapses_and_is_taken_back(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("registration: {mode: token}")
    _, lapses = await bench.core.initial_tokens.create(timedelta(hours=1), 5, "tests")
    taken, back = await bench.core.initial_tokens.create(timedelta(hours=9), 5, "tests")
    await registered(web, token=back.reveal())
    await bench.core.initial_tokens.revoke(taken.token_id, "tests")
    await registered(web, 401, token=back.reveal())
    bench.clock.advance(3600)
    await registered(web, 401, token=lapses.reveal())
    assert bench.kinds().count("initial_token.created") == 2
    assert bench.kinds().count("initial_token.revoked") == 1


async def test_the_life_of_a_client(bench: Workbench, web: aiohttp.ClientSession) -> None:
    """RFC 7592, and what the suite does at the end of every module."""
    bench.offer(OPEN)
    told = await registered(web, client_name="App", initiate_login_uri="https://app.example/login")
    own = await managed(web, "GET", told, 200)
    assert "client_secret" not in own
    assert own["initiate_login_uri"] == "https://app.example/login"
    assert {**own, **told} == told

    put = {"client_id": told["client_id"], "client_secret": told["client_secret"], "redirect_uris": [CALLBACK + "/2"]}
    changed = await managed(web, "PUT", told, 200, **put)
    assert changed["redirect_uris"] == [CALLBACK + "/2"]
    assert not {"client_name", "initiate_login_uri", "client_secret"} & changed.keys()
    assert changed["registration_access_token"] == told["registration_access_token"]
    assert await managed(web, "GET", told, 200) == changed

    await managed(web, "DELETE", told, 204)
    for method in ("GET", "DELETE"):
        await managed(web, method, told, 401)
    assert [kind for kind in bench.kinds() if kind.startswith("client.")] == [
        "client.created",
        "client.updated",
        "client.deleted",
    ]
    assert all(event.origin for event in bench.events)


async def test_a_put_may_make_a_client_confidential(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web, token_endpoint_auth_method="none")
    assert "client_secret" not in told
    changed = await managed(web, "PUT", told, 200, client_id=told["client_id"], **GOOD)
    assert changed["client_secret"]
    assert changed["client_secret_expires_at"] == 0
    public = {"client_id": told["client_id"], "token_endpoint_auth_method": "none", **GOOD}
    assert "client_secret" not in await managed(web, "PUT", told, 200, **public)
    assert not (await bench.core.clients.get(told["client_id"])).secrets


BAD_PUTS = [
    pytest.param({}, "invalid_client_metadata", id="no client_id"),
    pytest.param({"client_id": "app"}, "invalid_client_metadata", id="another's client_id"),
    pytest.param({"client_secret": "guess"}, "invalid_client_metadata", id="another secret"),
    pytest.param({"client_secret": 1}, "invalid_client_metadata", id="a secret that is no text"),
    pytest.param({"redirect_uris": []}, "invalid_redirect_uri", id="no redirect URI"),
    pytest.param({"scope": "authcenter:admin"}, "invalid_client_metadata", id="a scope of the server"),
    pytest.param({"grant_types": ["password"]}, "invalid_client_metadata", id="a grant the policy does not list"),
]


@pytest.mark.parametrize(("changes", "error"), BAD_PUTS)
async def test_a_bad_put_changes_nothing(
    bench: Workbench, web: aiohttp.ClientSession, changes: dict[str, Any], error: str
) -> None:
    bench.offer(OPEN)
    told = await registered(web)
    named = {"client_id": told["client_id"]} if changes else {}
    refused = await managed(web, "PUT", told, 400, **{**GOOD, **named, **changes})
    assert refused["error"] == error
    assert {**(await managed(web, "GET", told, 200)), **told} == told


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_nobody_else_manages_a_client(bench: Workbench, web: aiohttp.ClientSession, method: str) -> None:
    bench.offer(OPEN)
    mine, other = await registered(web), await registered(web)
    for token in ("", "acg_wrong", other["registration_access_token"], mine["client_secret"], "\xff"):
        await managed(web, method, mine, 401, token, client_id=mine["client_id"], **GOOD)
    for unknown in ("app", "dyn_unknown", "dyn_%00", "usr_x"):
        of = {**mine, "registration_client_uri": f"{ISSUER}{PATH}/{unknown}"}
        await managed(web, method, of, 401, client_id=unknown, **GOOD)
    await managed(web, "GET", mine, 200)


async def test_a_disabled_client_is_refused(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web)
    await bench.core.clients.disable(told["client_id"], "tests")
    for method in ("GET", "PUT", "DELETE"):
        assert (await managed(web, method, told, 403, client_id=told["client_id"], **GOOD))["error"] == "access_denied"


async def test_with_registration_off_a_client_may_look_and_go(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web)
    bench.offer("")
    await managed(web, "GET", told, 200)
    await managed(web, "PUT", told, 403, client_id=told["client_id"], **GOOD)
    await managed(web, "DELETE", told, 204)


async def test_what_an_operator_gave_stays(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(OPEN)
    told = await registered(web)

    def give(metadata: Any) -> Any:
        return type(metadata)(**{name: getattr(metadata, name) for name in metadata.__slots__} | {"first_party": True})

    await bench.core.clients.update(told["client_id"], give, "tests")
    await managed(web, "PUT", told, 200, client_id=told["client_id"], **GOOD)
    assert (await bench.core.clients.get(told["client_id"])).first_party


async def test_a_sector_is_what_its_document_says(bench: Workbench, web: aiohttp.ClientSession, far: FarServer) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    both = [CALLBACK, "https://other.example/cb"]
    uri = far.puts("/sector", json.dumps([*both, "https://third.example/cb"]).encode())
    told = await registered(web, subject_type="pairwise", redirect_uris=both, sector_identifier_uri=uri)
    assert told["sector_identifier_uri"] == uri
    assert (await bench.core.clients.get(told["client_id"])).relying_party.sector == "127.0.0.1"
    assert far.asked == [("GET", "/sector")]


SECTORS = [
    pytest.param(b'["https://other.example/cb"]', id="not the redirect URI"),
    pytest.param(b'["https://app.example/cb2"]', id="nearly the redirect URI"),
    pytest.param(b"[]", id="an empty array"),
    pytest.param(b'{"https://app.example/cb": 1}', id="an object"),
    pytest.param(b'"https://app.example/cb"', id="a text"),
    pytest.param(b"<html>", id="no JSON"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b"\xff", id="not UTF-8"),
]


@pytest.mark.parametrize("body", SECTORS)
@pytest.mark.parametrize("subject_type", ["pairwise", "public"])
async def test_a_sector_document_that_lacks_a_redirect_uri_is_refused(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer, body: bytes, subject_type: str
) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    uri = far.puts("/sector", body)
    told = await registered(web, 400, subject_type=subject_type, sector_identifier_uri=uri)
    assert told["error"] == "invalid_client_metadata"
    assert told["error_description"].startswith("sector_identifier_uri ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_sector_document_is_no_way_into_private_networks(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer, host: str
) -> None:
    bench.offer(f"{OPEN}\nfetch: {{allow_private: [10.0.0.0/8]}}")
    far.puts("/sector", json.dumps([CALLBACK]).encode())
    for scheme in ("http", "https"):
        await registered(web, 400, sector_identifier_uri=far.url("/sector", host, scheme))
    assert far.asked == []


async def test_a_redirected_sector_document_does_not_count(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer
) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    inside = far.puts("/inside", json.dumps([CALLBACK]).encode())
    await registered(web, 400, sector_identifier_uri=far.puts("/sector", b"", 302, Location=inside))
    assert far.asked == [("GET", "/sector")]


async def test_a_registered_client_may_send_people_without_pkce(bench: Workbench, web: aiohttp.ClientSession) -> None:
    """CONFORMANCE §1: with state and nonce, and no PKCE; the default scope lets all standard ones be asked for."""
    bench.offer(OPEN)
    told = await registered(web)
    asked = {
        "client_id": told["client_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile email address phone offline_access",
        "state": "s",
        "nonce": "n",
    }
    async with web.get("/oauth/authorize", params=asked, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/login?ticket=")
    async with web.get("/oauth/authorize", params={**asked, "redirect_uri": CALLBACK + "2"}) as answer:
        assert answer.status == 400
