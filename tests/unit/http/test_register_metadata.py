"""Which metadata is registered and which is refused, by the name of the member (RFC 7591 §2)."""

from typing import Any

import aiohttp
import pytest

from tests.unit.http.test_register import ALL, CALLBACK, KEY, OPEN, PATH, registered
from tests.workbench import Workbench

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
