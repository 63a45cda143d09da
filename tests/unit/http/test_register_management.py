"""Clients look after what they registered (RFC 7592), and nobody else does."""

from typing import Any

import aiohttp
import pytest

from tests.unit.http.test_register import CALLBACK, GOOD, OPEN, PATH, managed, registered
from tests.workbench import ISSUER, Workbench


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
