"""Whole responses, as recorded: status, headers, body. A change here is a change that clients see."""

from typing import Any

import aiohttp
import pytest

from tests.unit.http.recording import compare
from tests.unit.http.requests import basic
from tests.workbench import PASSWORD, Workbench

SIGN_IN = {"grant_type": "password", "username": "alice", "password": PASSWORD}

REQUESTS: list[Any] = [
    ("POST", "/oauth/token", {"grant_type": "client_credentials"}, "token"),
    ("POST", "/oauth/token", {**SIGN_IN, "scope": "read"}, "token_with_refresh_token"),
    ("POST", "/oauth/token", {**SIGN_IN, "password": "wrong"}, "token_invalid_grant"),
    ("POST", "/oauth/token", {"grant_type": "implicit"}, "token_unsupported_grant_type"),
    ("POST", "/oauth/token", {"grant_type": "client_credentials", "scope": "x"}, "token_invalid_scope"),
    ("POST", "/oauth/token", {"grant_type": "client_credentials", "resource": "urn:x"}, "token_invalid_target"),
    ("POST", "/oauth/token", {}, "token_missing_parameter"),
    ("GET", "/oauth/token", None, "token_method_not_allowed"),
    ("POST", "/oauth/introspect", {"token": "x"}, "introspect_inactive"),
    ("POST", "/oauth/revoke", {"token": "x"}, "revoke_anything"),
    ("GET", "/.well-known/openid-configuration", None, "discovery"),
    ("GET", "/.well-known/oauth-authorization-server", None, "discovery_oauth"),
    ("GET", "/.well-known/jwks.json", None, "jwks"),
    ("OPTIONS", "/.well-known/jwks.json", None, "jwks_preflight"),
    ("GET", "/nowhere", None, "not_found"),
]


@pytest.mark.parametrize(("method", "path", "form", "name"), [pytest.param(*row, id=row[-1]) for row in REQUESTS])
async def test_the_snapshot_of(
    bench: Workbench, web: aiohttp.ClientSession, method: str, path: str, form: Any, name: str
) -> None:
    auth = basic("app", bench.secrets["app"]) if form is not None else {}
    async with web.request(method, path, data=form, headers=auth) as response:
        await compare(name, response)


async def test_the_snapshot_of_failed_client_authentication(web: aiohttp.ClientSession) -> None:
    async with web.post("/oauth/token", data=SIGN_IN, headers=basic("app", "wrong")) as response:
        await compare("invalid_client", response)


async def test_the_snapshot_of_active_tokens(bench: Workbench, web: aiohttp.ClientSession) -> None:
    answer = await bench.issue()
    auth = basic("app", bench.secrets["app"])
    for name, token in (("introspect_access_token", answer.access), ("introspect_refresh_token", answer.refresh)):
        async with web.post("/oauth/introspect", data={"token": token}, headers=auth) as response:
            await compare(name, response)


async def test_the_snapshot_of_an_outage(bench: Workbench, web: aiohttp.ClientSession) -> None:
    auth = basic("app", bench.secrets["app"])
    bench.board.down = True
    async with web.post("/oauth/token", data=SIGN_IN, headers=auth) as response:
        await compare("unavailable", response)
