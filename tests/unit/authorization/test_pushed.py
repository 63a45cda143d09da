"""Pushed authorization requests (RFC 9126): what is kept, for whom, how long, and that one answer spends it."""

import asyncio
import json
import random
import re
import string
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.relying_party import RelyingParty
from tests.unit.authorization.test_authorize import GOOD, REDIRECT, VERIFIER, Outcome, Visitor
from tests.unit.http.requests import basic
from tests.workbench import API, OTHER_API, Workbench

PARTY: dict[str, Any] = {
    "grants": frozenset({"authorization_code", "refresh_token"}),
    "scopes": frozenset({"openid", "email", "offline_access", "read"}),
    "redirect_uris": (REDIRECT,),
}
BROWSER = "__Host-authcenter_browser"


class Pusher(Visitor):
    """A browser, and the client that sends it."""

    def __init__(self, bench: Workbench, web: aiohttp.ClientSession) -> None:
        super().__init__(bench, str(web._base_url).rstrip("/"))
        self.web = web

    async def post(self, client: str = "shop", *, auth: bool = True, **changes: Any) -> aiohttp.ClientResponse:
        form = {name: value for name, value in {**GOOD, "client_id": client, **changes}.items() if value is not None}
        headers = basic(client, self.bench.secrets[client]) if auth else {}
        async with self.web.post("/oauth/par", data=form, headers=headers) as answer:
            await answer.read()
        return answer

    async def push(self, client: str = "shop", **changes: Any) -> str:
        answer = await self.post(client, **changes)
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["request_uri"])

    async def visit(self, request_uri: str, client: str = "shop", **beside: str) -> Outcome:
        return await self._go(
            "GET", "/oauth/authorize", params={"client_id": client, "request_uri": request_uri, **beside}
        )

    async def ready(self, client: str = "shop") -> None:
        await self.sign_in()
        await self.consent(client)


@pytest.fixture
async def shop(bench: Workbench, web: aiohttp.ClientSession) -> Pusher:
    await bench.client("shop", audiences=(API, OTHER_API), **PARTY)
    await bench.client("other-shop", **PARTY)
    await bench.client("app-only", audiences=(API,))
    await bench.client("spa", auth_methods=frozenset({AuthMethod.NONE}), **PARTY)
    must = RelyingParty(require_pushed_authorization_requests=True)
    await bench.client("pushing", relying_party=must, **PARTY)
    return Pusher(bench, web)


async def test_a_pushed_request_leads_to_a_code_and_nothing_beside_it_counts(shop: Pusher) -> None:
    request_uri = await shop.push()
    beside = {"redirect_uri": "https://evil.example/", "state": "other", "nonce": "other", "scope": "admin"}
    assert (await shop.visit(request_uri, **beside)).page == "/login"
    await shop.sign_in()
    assert (await shop.back()).page == "/consent"
    answered = await shop.back(consent="granted")
    assert answered.location.startswith(REDIRECT)
    assert answered.told["state"] == GOOD["state"]
    tokens = await shop.bench.ask(
        "authorization_code",
        client="shop",
        code=answered.told["code"],
        redirect_uri=REDIRECT,
        code_verifier=VERIFIER,
    )
    assert tokens.claims["sub"] == shop.bench.alice.subject


async def test_the_answer_to_a_push(shop: Pusher) -> None:
    answer = await shop.post()
    members = await answer.json()
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["RateLimit-Limit"] == "6000"
    assert members.keys() == {"request_uri", "expires_in"}
    assert members["expires_in"] == 60
    assert re.fullmatch(r"urn:ietf:params:oauth:request_uri:[\w-]{43}", members["request_uri"])
    assert await shop.push() != members["request_uri"]


async def test_no_other_site_may_push_and_no_other_method_does(shop: Pusher) -> None:
    for method, status in (("POST", 401), ("OPTIONS", 405), ("PUT", 405), ("GET", 405)):
        async with shop.web.request(method, "/oauth/par", data=GOOD, headers={"Origin": "https://x.example"}) as answer:
            assert answer.status == status
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_neither_the_clients_secret_nor_the_reference_is_kept(shop: Pusher) -> None:
    request_uri = await shop.push(auth=False, client_secret=shop.bench.secrets["shop"], unknown="x")
    (kept,) = shop.bench.record.tables.pushed.values()
    assert kept.parameters.keys() == GOOD.keys() - {"client_id"}
    assert request_uri.rpartition(":")[2].encode() not in kept.digest


REFUSED = [
    pytest.param({"auth": False}, 401, "invalid_client", id="not authenticated"),
    pytest.param({"auth": False, "client_secret": "wrong"}, 401, "invalid_client", id="wrong secret"),
    pytest.param({"auth": False, "client_id": None}, 401, "invalid_client", id="no client"),
    pytest.param({"client_id": "other-shop"}, 400, "invalid_request", id="another client in the form"),
    pytest.param(
        {"request_uri": "urn:ietf:params:oauth:request_uri:" + "a" * 43}, 400, "invalid_request", id="a reference"
    ),
    pytest.param({"redirect_uri": "https://evil.example/cb"}, 400, "invalid_request", id="foreign redirect URI"),
    pytest.param({"redirect_uri": REDIRECT + "&x"}, 400, "invalid_request", id="similar redirect URI"),
    pytest.param({"response_type": "code id_token"}, 400, "unsupported_response_type", id="hybrid"),
    pytest.param({"response_type": "token"}, 400, "unsupported_response_type", id="implicit"),
    pytest.param({"response_type": None}, 400, "invalid_request", id="no response type"),
    pytest.param({"response_mode": "web_message"}, 400, "invalid_request", id="unknown mode"),
    pytest.param({"code_challenge": None, "code_challenge_method": None}, 400, "invalid_request", id="no PKCE"),
    pytest.param({"code_challenge_method": "plain"}, 400, "invalid_request", id="plain"),
    pytest.param({"scope": "openid admin"}, 400, "invalid_scope", id="scope"),
    pytest.param({"resource": "https://nowhere.example"}, 400, "invalid_target", id="resource"),
    pytest.param({"prompt": "none login"}, 400, "invalid_request", id="prompt"),
    pytest.param({"claims": "{"}, 400, "invalid_request", id="claims"),
    pytest.param({"id_token_hint": "a.b.c"}, 400, "invalid_request", id="hint"),
    pytest.param({"request": "a.b.c"}, 400, "invalid_request_object", id="no request object"),
]


@pytest.mark.parametrize(("change", "status", "error"), REFUSED)
async def test_what_is_wrong_is_told_at_once_as_json_and_nothing_is_kept(
    shop: Pusher, change: dict[str, Any], status: int, error: str
) -> None:
    answer = await shop.post(**change)
    assert (answer.status, (await answer.json())["error"]) == (status, error)
    assert answer.content_type == "application/json"
    assert "Location" not in answer.headers
    assert not shop.bench.record.tables.pushed


async def test_a_client_without_the_grant_cannot_push(shop: Pusher) -> None:
    answer = await shop.post("app-only", redirect_uri=REDIRECT)
    assert answer.status == 400
    assert not shop.bench.record.tables.pushed


async def test_a_public_client_pushes_with_pkce(shop: Pusher) -> None:
    await shop.ready("spa")
    assert "code" in (await shop.visit(await shop.push("spa", auth=False), "spa")).told


UNKNOWN = "urn:ietf:params:oauth:request_uri:" + "a" * 43


@pytest.mark.parametrize("mode", ["foreign", "unknown", "malformed"])
async def test_a_reference_that_is_not_this_clients_leads_to_no_code(shop: Pusher, mode: str) -> None:
    await shop.ready()
    await shop.consent("other-shop")
    sent = {"unknown": UNKNOWN, "malformed": UNKNOWN + "\n"}.get(mode) or await shop.push()
    client = "other-shop" if mode == "foreign" else "shop"
    with_one_uri = await shop.visit(sent, client)
    assert with_one_uri.location.startswith(REDIRECT)
    assert with_one_uri.told["error"] == "invalid_request_uri"
    evil = await shop.visit(sent, client, redirect_uri="https://evil.example/")
    assert (evil.status, evil.location) == (400, "")
    assert evil.headers["Content-Type"].startswith("text/html")
    assert not shop.bench.record.tables.codes


@pytest.mark.parametrize("mode", ["expired", "spent"])
async def test_a_reference_that_is_used_up_is_told_to_its_client_as_it_was_to_be_answered(
    shop: Pusher, mode: str
) -> None:
    await shop.ready()
    request_uri = await shop.push(response_mode="fragment")
    if mode == "spent":
        assert "code" in (await shop.visit(request_uri)).told
    else:
        shop.bench.clock.advance(60)
    outcome = await shop.visit(request_uri, redirect_uri="https://evil.example/", state="other", response_mode="query")
    assert outcome.location.startswith(f"{REDIRECT}#")
    assert (outcome.told["error"], outcome.told["state"]) == ("invalid_request_uri", GOOD["state"])
    assert len(shop.bench.record.tables.codes) == (1 if mode == "spent" else 0)


async def test_a_reference_lives_until_its_last_second(shop: Pusher) -> None:
    await shop.ready()
    request_uri = await shop.push()
    shop.bench.clock.advance(59.9)
    assert "code" in (await shop.visit(request_uri)).told


async def test_visiting_spends_nothing_and_a_sign_in_under_way_may_take_its_time(shop: Pusher) -> None:
    request_uri = await shop.push()
    assert (await shop.visit(request_uri)).page == "/login"
    assert (await shop.visit(request_uri)).page == "/login"
    shop.bench.clock.advance(600)
    await shop.ready()
    assert "code" in (await shop.back()).told
    again = await shop.back()
    assert again.told["error"] == "invalid_request_uri"
    assert again.told["state"] == GOOD["state"]
    assert len(shop.bench.record.tables.codes) == 1


async def test_of_fifty_completions_of_one_reference_one_wins(shop: Pusher) -> None:
    await shop.ready()
    request_uri = await shop.push()
    shop.jar[BROWSER] = "b" * 43
    told = [outcome.told for outcome in await asyncio.gather(*(shop.visit(request_uri) for _ in range(50)))]
    assert sum("code" in one for one in told) == 1
    assert sum(one.get("error") == "invalid_request_uri" for one in told) == 49
    assert len(shop.bench.record.tables.codes) == 1


async def test_who_must_push_is_served_in_no_other_way(shop: Pusher) -> None:
    await shop.ready()
    told = (await shop.authorize(client_id="pushing")).told
    assert told["error"] == "invalid_request"
    assert (await shop.visit(await shop.push("pushing"), "pushing")).page == "/consent"


async def test_a_fapi2_client_must_push(shop: Pusher) -> None:
    tables = shop.bench.record.tables
    tables.clients["shop"] = replace(tables.clients["shop"], profile=Profile.FAPI2)
    shop.endpoint.checks.clients.forget("shop")  # type: ignore[attr-defined]
    assert (await shop.authorize()).told["error"] == "invalid_request"
    assert (await shop.visit(await shop.push())).page == "/login"


async def test_what_a_client_may_is_looked_at_again_when_the_browser_comes(shop: Pusher) -> None:
    request_uri = await shop.push(scope="openid read")
    tables = shop.bench.record.tables
    client = tables.clients["shop"]
    tables.clients["shop"] = replace(client, redirect_uris=(REDIRECT + "new",))
    shop.endpoint.checks.clients.forget("shop")  # type: ignore[attr-defined]
    outcome = await shop.visit(request_uri)
    assert (outcome.status, outcome.location) == (400, "")


async def test_pushing_counts_as_asking_for_a_token(shop: Pusher) -> None:
    shop.bench.offer("rate_limits: {token_per_client: 2/minute}")
    assert [(await shop.post()).status for _ in range(3)] == [201, 201, 429]
    assert (await shop.post("other-shop")).status == 201


async def test_while_the_record_is_gone_the_client_is_asked_to_come_back(shop: Pusher) -> None:
    await shop.push()
    shop.bench.board.down = True
    answer = await shop.post()
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert answer.content_type == "application/json"


async def test_a_reference_of_another_kind_is_not_fetched(shop: Pusher) -> None:
    for reference in ("https://shop.example/request.jwt", "urn:ietf:params:oauth:other:1", "file:///etc/passwd"):
        told = (await shop.authorize(request_uri=reference)).told
        assert told["error"] == "request_uri_not_supported"
        assert told["state"] == GOOD["state"]
    both = await shop.authorize(request_uri=await shop.push(), request="a.b.c")
    assert both.told["error"] == "invalid_request"


def noise(characters: int) -> str:
    """Text that does not become shorter by compression."""
    return "".join(random.Random(characters).choices(string.ascii_letters + string.digits, k=characters))


async def test_the_largest_request_that_may_be_pushed_still_fits_into_the_urls_of_its_sign_in(shop: Pusher) -> None:
    claims = {"userinfo": {noise(1_000): None}}
    request_uri = await shop.push(state=noise(2_000), nonce=noise(2_001), claims=json.dumps(claims))
    await shop.sign_in()
    asked = await shop.visit(request_uri)
    assert asked.page == "/consent"
    assert (await shop._go("GET", asked.location)).status == 200
    assert (await shop.back(consent="granted")).told["state"] == noise(2_000)


async def test_a_larger_request_is_refused_before_anybody_signs_in(shop: Pusher) -> None:
    claims = json.dumps({"userinfo": {noise(2_000): None}})
    large = {"state": noise(2_000), "nonce": noise(2_001), "claims": claims}
    answer = await shop.post(**large)
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")
    assert (await shop.authorize(post=True, **large)).told["error"] == "invalid_request"
    assert await shop.push(id_token_hint=None, unknown=noise(9_000))


async def test_a_binding_that_nothing_here_could_prove_is_refused_when_it_is_pushed(shop: Pusher) -> None:
    answer = await shop.post(dpop_jkt="x" * 43)
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")
    assert shop.bench.record.tables.pushed == {}
