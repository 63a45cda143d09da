"""Clients, as operators make, change and remove them over HTTP."""

from typing import Any

import aiohttp
import pytest

from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.core.scope import ADMIN, Scope
from tests.unit.http.operators import Desk
from tests.workbench import API, Workbench, refused

SHOP = {
    "client_id": "shop",
    "name": "The shop",
    "profile": "oidc",
    "grants": ["authorization_code", "refresh_token"],
    "scopes": ["openid", "read"],
    "audiences": [API],
    "redirect_uris": ["https://shop.example/back"],
    "access_ttl": 120,
    "on_outage": "closed",
    "relying_party": {"client_uri": "https://shop.example", "contacts": ["ops@shop.example"], "default_max_age": 60},
}


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


async def test_a_client_is_made_and_its_secret_is_told_once(desk: Desk, bench: Workbench) -> None:
    made = await desk.post("/clients", SHOP)
    assert made.status == 201
    assert {name: made.body[name] for name in SHOP} == SHOP
    secret = made.body["client_secret"]
    shown = (await desk.get("/clients/shop")).body
    assert "client_secret" not in shown
    assert shown == {name: value for name, value in made.body.items() if name != "client_secret"}
    assert secret not in str((await desk.get("/clients")).body)
    (event,) = bench.events
    assert (event.kind, event.actor, event.client_id) == (EventKind.CLIENT_CREATED, "backoffice", "shop")
    assert event.origin is not None
    assert event.origin.request_id == made.headers["X-Request-Id"]


async def test_what_a_person_does_is_told_as_theirs(desk: Desk, bench: Workbench) -> None:
    desk.token = await desk.persons_token()
    olga = await bench.core.accounts.get("olga")
    bench.events.clear()
    await desk.post("/clients", {"client_id": "shop", "grants": ["client_credentials"]})
    await desk.post("/clients/shop/disable")
    await desk.post("/clients/shop/rotate-secret", {"end_old": True})
    assert {event.actor for event in bench.events} == {olga.subject}


async def test_no_client_gets_a_scope_of_the_server_itself(desk: Desk, bench: Workbench) -> None:
    wanted = {"client_id": "shop", "grants": ["client_credentials"], "scopes": ["read", ADMIN]}
    refused_new = await desk.post("/clients", wanted)
    assert (refused_new.status, ADMIN in refused_new.body["detail"]) == (422, True)
    assert (await desk.post("/clients", {**wanted, "scopes": ["read"]})).status == 201
    assert (await desk.patch("/clients/shop", {"scopes": ["read", "authcenter:other"]})).status == 422
    assert (await bench.core.clients.get("shop")).scopes == Scope.of({"read"})


async def test_a_client_keeps_the_scope_it_was_given_at_the_command_line(desk: Desk, bench: Workbench) -> None:
    changed = await desk.patch("/clients/backoffice", {"name": "Back office", "scopes": [ADMIN]})
    assert (changed.status, changed.body["scopes"]) == (200, [ADMIN])
    assert (await desk.patch("/clients/backoffice", {"scopes": []})).status == 200
    assert (await desk.patch("/clients/backoffice", {"scopes": [ADMIN]})).status == 422
    assert (await bench.core.clients.get("backoffice")).scopes == Scope.of(())


async def test_lists_are_paged_and_searched(desk: Desk) -> None:
    for number in range(3):
        await desk.post("/clients", {"client_id": f"shop-{number}", "name": "Shop"})
    everything = [one["client_id"] for one in (await desk.get("/clients")).items]
    assert everything == sorted(["app", "other", "backoffice", "shop-0", "shop-1", "shop-2"])
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        found = await desk.get("/clients", q="SHOP", limit="1", **({"cursor": cursor} if cursor else {}))
        seen += [one["client_id"] for one in found.items]
        cursor = found.body["next_cursor"]
    assert (seen, cursor) == (["shop-0", "shop-1", "shop-2"], None)


async def test_what_is_sent_changes_and_the_rest_stays(desk: Desk, bench: Workbench) -> None:
    await desk.post("/clients", SHOP)
    changed = await desk.patch(
        "/clients/shop", {"name": None, "access_ttl": None, "relying_party": {"client_uri": ""}, "scopes": ["read"]}
    )
    assert changed.status == 200
    told = changed.body
    assert (told["name"], told["access_ttl"], told["scopes"]) == ("shop", None, ["read"])
    assert told["relying_party"] == {"contacts": ["ops@shop.example"], "default_max_age": 60}
    assert told["redirect_uris"] == SHOP["redirect_uris"]
    assert bench.events[-1].kind == EventKind.CLIENT_UPDATED


REFUSED = [
    pytest.param({"client_id": ""}, "id", id="no id"),
    pytest.param({"client_id": "usr_1"}, "id", id="a user's subject"),
    pytest.param({"client_secret": "mine"}, "'client_secret'", id="a secret of one's own"),
    pytest.param({"grant": ["password"]}, "'grant'", id="a mistyped member"),
    pytest.param({"grants": "password"}, "grants", id="a text for a list"),
    pytest.param({"grants": [1]}, "grants", id="numbers for texts"),
    pytest.param({"grants": ["implicit"]}, "grant", id="an unknown grant"),
    pytest.param({"scopes": ["two words"]}, "scope", id="a scope with a space"),
    pytest.param({"first_party": "yes"}, "first_party", id="a text for a truth"),
    pytest.param({"access_ttl": -1}, "access_ttl", id="a lifetime below nothing"),
    pytest.param({"access_ttl": True}, "access_ttl", id="a truth for a number"),
    pytest.param({"access_ttl": 1}, "access", id="a lifetime of a second"),
    pytest.param({"profile": "oauth3"}, "profile", id="an unknown profile"),
    pytest.param({"auth_methods": ["magic"]}, "auth_methods", id="an unknown method"),
    pytest.param({"redirect_uris": ["javascript:alert(1)"]}, "redirect-uri", id="a script for a URI"),
    pytest.param({"relying_party": []}, "relying_party", id="a list for an object"),
    pytest.param({"relying_party": {"dynamic": True}}, "'dynamic'", id="what a registration says"),
    pytest.param({"relying_party": {"registration_mac": "x"}}, "'registration_mac'", id="the hash of a token"),
    pytest.param({"relying_party": {"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}}, "jwks", id="a private key"),
]


@pytest.mark.parametrize(("change", "member"), REFUSED)
async def test_a_document_that_does_not_hold_is_refused_by_its_member(
    desk: Desk, bench: Workbench, change: dict[str, Any], member: str
) -> None:
    made = await desk.post("/clients", {"client_id": "till", **change})
    assert (made.status, made.body["detail"].partition(":")[0]) == (422, member)
    assert bench.events == []


async def test_an_id_that_is_taken_is_a_conflict(desk: Desk) -> None:
    assert (await desk.post("/clients", {"client_id": "app"})).status == 409


async def test_an_id_stays_what_it_is(desk: Desk) -> None:
    changed = await desk.patch("/clients/app", {"client_id": "ppa"})
    assert (changed.status, changed.body["detail"]) == (422, "client_id: cannot be changed")


async def test_a_disabled_client_is_refused_at_once_although_it_was_held_in_the_cache(
    desk: Desk, bench: Workbench
) -> None:
    before = await bench.ask("client_credentials")
    assert (await desk.post("/clients/app/disable")).body["disabled"] is True
    with refused(Rule.CLIENT_DISABLED):
        await bench.ask("client_credentials")
    assert not await bench.active(before.access, client="other")
    assert (await desk.post("/clients/app/disable")).status == 409
    assert (await desk.post("/clients/app/enable")).body["disabled"] is False
    bench.clock.advance(2)
    assert (await bench.ask("client_credentials")).access


async def test_a_new_secret_goes_beside_the_old_one_or_ends_it(desk: Desk, bench: Workbench) -> None:
    first = bench.secrets["app"]
    second = (await desk.post("/clients/app/rotate-secret")).body["client_secret"]
    for secret in (first, second):
        assert (await bench.ask("client_credentials", secret=secret)).access
    third = (await desk.post("/clients/app/rotate-secret", {"end_old": True})).body["client_secret"]
    assert (await bench.ask("client_credentials", secret=third)).access
    for secret in (first, second):
        with refused(Rule.CLIENT_SECRET_WRONG):
            await bench.ask("client_credentials", secret=secret)
    assert [event.kind for event in bench.events].count(EventKind.CLIENT_SECRET_ROTATED) == 2


async def test_a_client_without_a_secret_has_none_to_rotate(desk: Desk) -> None:
    await desk.post("/clients", {"client_id": "phone", "auth_methods": ["none"]})
    assert (await desk.post("/clients/phone/rotate-secret")).status == 422


async def test_a_client_is_removed_with_its_tokens(desk: Desk, bench: Workbench) -> None:
    token = (await bench.ask("client_credentials", client="other", resource=API)).access
    assert await bench.active(token)
    assert (await desk.delete("/clients/other")).status == 204
    assert (await desk.get("/clients/other")).status == 404
    assert (await desk.delete("/clients/other")).status == 404
    assert not await bench.active(token)


@pytest.mark.parametrize("act", ["GET /clients/{}", "PATCH /clients/{}", "POST /clients/{}/disable"])
@pytest.mark.parametrize("client_id", ["nobody", "%2e%2e", "a%2Fb", "%F0%9F%90%99"])
async def test_a_client_that_is_not_there_is_not_found(desk: Desk, act: str, client_id: str) -> None:
    method, path = act.split()
    document = {} if method == "PATCH" else None
    assert (await desk.send(method, path.format(client_id), document=document)).status == 404
