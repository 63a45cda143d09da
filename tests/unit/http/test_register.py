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
