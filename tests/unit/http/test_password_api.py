"""``/api/v1/auth/password``: the pages' twin for first-party apps."""

from typing import Any

import aiohttp
import pytest

from authcenter.core.mail import MailKind
from authcenter.core.rules import Rule
from tests.unit.http.mailbox import letters, link
from tests.workbench import PASSWORD, Workbench

FORGOT, RESET = "/api/v1/auth/password/forgot", "/api/v1/auth/password/reset"
NEW = "seven green umbrellas"


async def post(web: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, Any, Any]:
    async with web.post(path, json=body) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None, answer.headers


async def asked(bench: Workbench, web: aiohttp.ClientSession) -> str:
    """A token, as the mail brings it."""
    await post(web, FORGOT, {"email": "alice@example.com"})
    return (await link(bench)).partition("?token=")[2]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "not an address"])
async def test_every_address_is_answered_alike(bench: Workbench, web: aiohttp.ClientSession, email: str) -> None:
    assert (await post(web, FORGOT, {"email": email}))[:2] == (202, {"status": "accepted"})
    assert [name for name in bench.board.asked if name.startswith("users.")] == []
    assert [letter.to for letter in await letters(bench)] == (["alice@example.com"] if "alice" in email else [])


async def test_a_token_sets_the_password_once(bench: Workbench, web: aiohttp.ClientSession) -> None:
    token = await asked(bench, web)
    issued = await bench.issue()
    assert (await post(web, RESET, {"token": token, "password": NEW}))[0] == 204
    assert bench.ended(issued.refresh)
    assert len(await letters(bench, MailKind.PASSWORD_CHANGED)) == 1
    bench.clock.advance(5)
    await bench.issue(password=NEW)
    status, problem, headers = await post(web, RESET, {"token": token, "password": f"{NEW} again"})
    assert (status, problem["error"]) == (400, "invalid_request")
    assert headers["Content-Type"] == "application/problem+json"
    bench.request_log.flush()
    assert f'"rule":"{Rule.ACCOUNT_LINK_SPENT}"' in bench.lines.getvalue().splitlines()[-1]


async def test_a_password_that_does_not_do_is_explained_and_spends_nothing(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    token = await asked(bench, web)
    status, problem, _ = await post(web, RESET, {"token": token, "password": PASSWORD})
    assert (status, problem["reason"]) == (422, "password.same")
    status, problem, _ = await post(web, RESET, {"token": token, "password": "qwertyuiop"})
    assert (status, problem["reason"]) == (422, "password.common")
    assert (await post(web, RESET, {"token": token, "password": NEW}))[0] == 204


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (FORGOT, {}, 422),
        (FORGOT, {"email": 1}, 422),
        (FORGOT, [], 400),
        (RESET, {"token": "x"}, 422),
        (RESET, {"password": NEW}, 422),
        (RESET, {"token": "x", "password": NEW}, 400),
        (RESET, {"token": "A" * 43, "password": NEW}, 400),
    ],
)
async def test_what_cannot_be_read_is_refused(
    bench: Workbench, web: aiohttp.ClientSession, path: str, body: Any, status: int
) -> None:
    assert (await post(web, path, body))[0] == status
    assert bench.record.tables.outbox == {}


async def test_a_network_that_asks_too_often_is_told_when_to_come_back(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    bench.offer("rate_limits: {signup_per_ip: 1/hour}")
    await post(web, FORGOT, {"email": "nobody@example.com"})
    status, _, headers = await post(web, FORGOT, {"email": "alice@example.com"})
    assert status == 429
    assert int(headers["Retry-After"]) > 60


async def test_a_token_lapses_as_the_policy_says(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("accounts: {reset_ttl: 60}")
    token = await asked(bench, web)
    bench.clock.advance(60)
    assert (await post(web, RESET, {"token": token, "password": NEW}))[0] == 400


async def test_a_form_is_not_taken(web: aiohttp.ClientSession) -> None:
    async with web.post(FORGOT, data={"email": "alice@example.com"}) as answer:
        assert answer.status == 400
