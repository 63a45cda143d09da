"""Signing up by JSON: the same as by the pages, refusals as problem documents."""

import asyncio
from typing import Any

import aiohttp
import pytest

from authcenter.core.mail import MailKind
from tests.unit.http.mailbox import letters
from tests.unit.http.signing_up import ON, STRONG
from tests.workbench import PASSWORD, Workbench

REGISTER, VERIFY = "/api/v1/auth/register", "/api/v1/auth/verify-email"


async def post(web: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.post(path, json=body, headers=named) as answer:
        told: dict[str, Any] = await answer.json(content_type=None)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content_type == ("application/json" if answer.status < 400 else "application/problem+json")
        assert answer.status < 400 or told["status"] == answer.status
        assert "Set-Cookie" not in answer.headers
        return answer.status, told


async def token(web: aiohttp.ClientSession, bench: Workbench, email: str = "jo@example.com") -> str:
    """The token of a letter that was just asked for."""
    bench.offer(ON)
    assert (await post(web, REGISTER, {"email": email}))[0] == 202
    return (await letters(bench))[-1].values["link"].partition("token=")[2]


async def test_an_account_is_made_and_signs_in(bench: Workbench, web: aiohttp.ClientSession) -> None:
    given = {"token": await token(web, bench), "username": "Jo", "password": STRONG}
    status, told = await post(web, VERIFY, given)
    assert status == 201
    assert told["sub"] == bench.events[-1].subject
    assert (told["username"], told["email"], told["email_verified"]) == ("Jo", "jo@example.com", True)
    assert (await bench.issue(username="jo", password=STRONG)).claims["sub"] == told["sub"]
    status, told = await post(web, VERIFY, {**given, "username": "max"})
    assert (status, told["detail"]) == (400, "This link is no longer valid.")


async def test_known_and_unknown_addresses_are_answered_alike(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(ON)
    answers = [await post(web, REGISTER, {"email": email}) for email in ("alice@example.com", "jo@example.com")]
    assert answers == [(202, {"status": "verification_sent"})] * 2
    # A worker does both at once, in whichever order.
    kinds = {letter.to: letter.kind for letter in await letters(bench)}
    assert kinds == {
        "alice@example.com": MailKind.ADDRESS_HAS_ACCOUNT,
        "jo@example.com": MailKind.CONFIRM_ADDRESS,
    }


async def test_the_letter_is_in_the_readers_language(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(ON)
    await post(web, REGISTER, {"email": "jo@example.com"}, Accept_Language="de-CH, en;q=0.5")
    assert (await letters(bench))[0].language == "de"


REFUSED = [
    pytest.param(REGISTER, {}, 422, "email: not a string", id="no address"),
    pytest.param(REGISTER, {"email": 1}, 422, "email: not a string", id="an address that is a number"),
    pytest.param(REGISTER, {"email": "jo"}, 422, "email: not an address like", id="no address but a name"),
    pytest.param(REGISTER, [], 400, "not a JSON object", id="a list"),
    pytest.param(VERIFY, {"token": None}, 422, "token: not a string", id="no token"),
    pytest.param(VERIFY, {"token": "x"}, 400, "no longer valid", id="a wrong token"),
    pytest.param(VERIFY, {"token": "ß" * 43}, 400, "no longer valid", id="a token of other characters"),
    pytest.param(VERIFY, {"username": " "}, 422, "username: not 1 to 255 characters", id="no name"),
    pytest.param(VERIFY, {"username": "Alice"}, 409, "username: taken by another user", id="a taken name"),
    pytest.param(VERIFY, {"password": "sunshine"}, 422, "password: one of the most common", id="a common password"),
    pytest.param(VERIFY, {"password": ["x"]}, 422, "password: not a string", id="a password that is a list"),
]


@pytest.mark.parametrize(("path", "change", "status", "says"), REFUSED)
async def test_what_does_not_hold_is_a_problem_document(
    bench: Workbench, web: aiohttp.ClientSession, path: str, change: Any, status: int, says: str
) -> None:
    good = {"token": await token(web, bench), "username": "jo", "password": STRONG}
    body = {**good, **change} if path == VERIFY else change
    answered, told = await post(web, path, body)
    assert (answered, says in told["detail"]) == (status, True), told
    assert (await post(web, VERIFY, good))[0] == 201, "the link still holds"


async def test_a_refused_password_comes_with_its_reason_and_advice(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    body = {"token": await token(web, bench), "username": "quimby", "password": "quimby2024"}
    _, told = await post(web, VERIFY, body)
    assert told["reason"] == "password.about_you"
    assert told["advice"][-1] == "more_words"


async def test_of_many_who_use_a_link_at_once_one_gets_the_account(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    body = {"token": await token(web, bench), "password": STRONG}
    answers = await asyncio.gather(*(post(web, VERIFY, {**body, "username": f"jo-{n}"}) for n in range(4)))
    assert sorted(status for status, _ in answers) == [201, 400, 400, 400]


async def test_too_often_is_429(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(f"{ON}\nrate_limits: {{signup_per_ip: 1/hour}}")
    statuses = [(await post(web, REGISTER, {"email": f"jo{n}@example.com"}))[0] for n in range(2)]
    assert statuses == [202, 429]


async def test_while_the_policy_says_no_there_is_nothing_here(bench: Workbench, web: aiohttp.ClientSession) -> None:
    body = {"token": await token(web, bench), "username": "jo", "password": STRONG}
    bench.offer("{}")
    assert (await post(web, REGISTER, {"email": "jo@example.com"}))[0] == 404
    assert (await post(web, VERIFY, body))[0] == 404


async def test_an_account_needs_its_letter(bench: Workbench, web: aiohttp.ClientSession) -> None:
    """While the record is gone nothing is acknowledged, and what was asked for stays good."""
    given = {"token": await token(web, bench), "username": "jo", "password": PASSWORD}
    bench.board.down = True
    assert (await post(web, REGISTER, {"email": "max@example.com"}))[0] == 503
    assert (await post(web, VERIFY, given))[0] == 503
    bench.board.down = False
    assert len(await letters(bench)) == 1
    assert (await post(web, VERIFY, given))[0] == 201
