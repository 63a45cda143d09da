"""``/api/v1/auth/sessions``: a person's sessions as JSON."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from authcenter.accounts.sessions import Sessions
from authcenter.core.digest import Digest
from authcenter.core.origin import RequestOrigin
from authcenter.core.session import Session
from tests.unit.authorization.test_code_grant import a_code, redeem, shop
from tests.workbench import ISSUER, ORIGIN, Workbench

__all__ = ["shop"]
PATH = "/api/v1/auth/sessions"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605 Version/18.5 Safari/604.1"


@pytest.fixture
async def own(shop: Workbench) -> "Own":
    """The client ``shop`` is first-party; alice is signed in twice, once with it."""
    make_first_party(shop, True)
    return await Own(shop).start()


def make_first_party(bench: Workbench, first_party: bool) -> None:
    clients = bench.record.tables.clients
    clients["shop"] = replace(clients["shop"], first_party=first_party)


class Own:
    """Alice, and a token of hers."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    async def start(self) -> "Own":
        self.first = await self.session(b"1", RequestOrigin(ORIGIN.request_id, "192.0.2.7", PHONE))
        self.bench.clock.advance(60)
        self.second = await self.session(b"2", ORIGIN)
        self.token = await self.token_of(self.first)
        return self

    async def session(self, cookie: bytes, origin: RequestOrigin) -> Session:
        stores, bench = self.bench.stores, self.bench
        sessions = Sessions(
            stores.sessions,
            stores.sessions,
            stores.users,
            lambda: bench.policy.current.sessions,
            lambda: bench.core.revocations.replica,
            bench.clock,
            bench.core.lifetimes.leeway,
        )
        return await sessions.sign_in(bench.alice, Digest(cookie * 32), origin, amr=["pwd"])

    async def token_of(self, session: Session | None) -> str:
        sign_in: Mapping[str, Any] = session.sign_in if session else {"auth_time": 1, "amr": ["pwd"]}
        return str((await redeem(self.bench, await a_code(self.bench, sign_in=sign_in, audience=(ISSUER,)))).access)

    async def alive(self) -> set[str]:
        return {one.session_id for one in await self.bench.stores.sessions.list_of(self.bench.alice.subject)}


async def ask(web: aiohttp.ClientSession, method: str, path: str, token: str) -> tuple[int, Any]:
    async with web.request(method, path, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


async def test_they_are_listed_with_the_tokens_own_marked(own: Own, web: aiohttp.ClientSession) -> None:
    status, told = await ask(web, "GET", PATH, own.token)
    assert status == 200
    assert [one["id"] for one in told["sessions"]] == [own.second.session_id, own.first.session_id]
    assert told["sessions"][1] == {
        "id": own.first.session_id,
        "current": True,
        "browser": "Safari",
        "system": "iPhone",
        "ip": "192.0.2.7",
        "signed_in_at": "2030-01-01T12:00:00+00:00",
        "last_active_at": "2030-01-01T12:00:00+00:00",
        "expires_at": "2030-01-31T12:00:00+00:00",
        "acr": "urn:authcenter:acr:1fa",
        "amr": ["pwd"],
    }
    assert not told["sessions"][0]["current"]


async def test_one_is_ended_with_its_tokens(own: Own, web: aiohttp.ClientSession) -> None:
    theirs = await own.token_of(own.second)
    assert (await ask(web, "GET", PATH, theirs))[0] == 200
    assert await ask(web, "DELETE", f"{PATH}/{own.second.session_id}", own.token) == (204, None)
    assert await own.alive() == {own.first.session_id}
    assert (await ask(web, "GET", PATH, theirs))[0] == 401
    assert (await ask(web, "GET", PATH, own.token))[0] == 200


async def test_all_others_are_ended(own: Own, web: aiohttp.ClientSession) -> None:
    assert await ask(web, "DELETE", PATH, own.token) == (200, {"ended": 1})
    assert await own.alive() == {own.first.session_id}


async def test_a_token_without_a_session_has_none_to_keep(own: Own, web: aiohttp.ClientSession) -> None:
    token = await own.token_of(None)
    status, told = await ask(web, "GET", PATH, token)
    assert (status, [one["current"] for one in told["sessions"]]) == (200, [False, False])
    assert await ask(web, "DELETE", PATH, token) == (200, {"ended": 2})


@pytest.mark.parametrize("name", ["unknown", "%00", "%F0%9F%A6%8A", "x" * 3000, "a/b"])
async def test_what_is_no_session_of_theirs_is_not_found(own: Own, web: aiohttp.ClientSession, name: str) -> None:
    status, told = await ask(web, "DELETE", f"{PATH}/{name}", own.token)
    assert (status, told["title"]) == (404, "Not Found")
    assert len(await own.alive()) == 2


async def test_another_persons_session_is_as_unknown_as_none(own: Own, web: aiohttp.ClientSession) -> None:
    bob = await own.bench.add_user("bob")
    token = str((await redeem(own.bench, await a_code(own.bench, subject=bob.subject, audience=(ISSUER,)))).access)
    assert (await ask(web, "DELETE", f"{PATH}/{own.first.session_id}", token))[0] == 404
    assert (await ask(web, "DELETE", PATH, token))[1] == {"ended": 0}
    assert len(await own.alive()) == 2


async def test_an_application_of_strangers_is_refused(own: Own, web: aiohttp.ClientSession) -> None:
    make_first_party(own.bench, False)
    own.bench.clock.advance(120)
    status, told = await ask(web, "GET", PATH, own.token)
    assert (status, told["error"]) == (403, "unauthorized_client")


async def test_without_a_token_nothing_is_told(own: Own, web: aiohttp.ClientSession) -> None:
    async with web.get(PATH) as answer:
        assert answer.status == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
