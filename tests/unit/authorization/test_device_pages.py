"""The page of devices: codes as people type them, guesses, links, and whose answer counts (RFC 8628 §3.3)."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.core.rules import Rule
from authcenter.tokens.device_codes import ALPHABET, UserCodeDigests, read_user_code
from tests.unit.authorization.test_device import SESSION, Phone, approve, begin, phone, poll, shop
from tests.workbench import refused

__all__ = ["phone", "shop"]


@pytest.mark.parametrize("typed", ["{lower}", "{bare}", " {spaced} ", "{dots}", "{long_dash}"])
async def test_codes_are_taken_as_people_type_them(phone: Phone, typed: str) -> None:
    code = (await begin(phone))["user_code"]
    first, second = code.split("-")
    forms = {
        "lower": code.lower(),
        "bare": first + second,
        "spaced": " ".join(code.replace("-", "")),
        "dots": f"{first}.{second}",
        "long_dash": f"{first} \u2013 {second}",
    }
    await phone.sign_in()
    await (await phone.type_code(typed.format(**forms))).follow()
    assert "asks for access" in phone.shows


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJK-L", "BCDFGHJ1", "BCDF-GHJA", "B" * 100_000])
def test_what_is_no_user_code(typed: str) -> None:
    assert read_user_code(typed) is None


def test_a_user_code_made_under_an_older_root_is_still_found() -> None:
    old, new = b"o" * 32, b"n" * 32
    assert UserCodeDigests.derive([old]).make("BCDF-GHJK") in UserCodeDigests.derive([new, old]).all("BCDF-GHJK")


@pytest.mark.parametrize("kind", ["never given", "lapsed", "used", "answered"])
async def test_wrong_used_and_lapsed_codes_are_told_the_same(phone: Phone, kind: str) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    code = codes["user_code"]
    if kind == "never given":
        code = "BBBB-BBBB" if code != "BBBB-BBBB" else "CCCC-CCCC"
    elif kind == "lapsed":
        phone.bench.clock.advance(600)
    else:
        await approve(phone, codes)
        if kind == "used":
            await poll(phone, codes)
    await (await phone.type_code(code)).follow()
    assert (phone.status, phone.shows) == (400, "Connect a device")
    assert "This code is not valid." in phone.body
    page = re.sub(r'value="[^"]*"', "", phone.body)
    await phone.type_code("no code at all")
    assert re.sub(r'value="[^"]*"', "", phone.body) == page


async def test_who_is_not_signed_in_learns_nothing_of_a_code(phone: Phone) -> None:
    right = (await begin(phone))["user_code"]
    phone.bench.board.asked.clear()
    for code in (right, "BBBB-BBBB"):
        await phone.type_code(code)
        await phone.go(phone.location)
        assert urlsplit(phone.location).path == "/login"
    assert [one for one in phone.bench.board.asked if one.startswith("device_codes")] == []


async def test_guesses_are_limited_by_person_and_by_address(phone: Phone) -> None:
    phone.bench.offer("rate_limits: {login_failures_per_ip: 9/hour, login_failures_per_account: 4/hour}")
    right = (await begin(phone))["user_code"]
    guesses = [f"BBBB-BBB{letter}" for letter in ALPHABET]

    async def outcomes(name: str, many: int) -> list[int]:
        other = Phone(phone.bench, phone.address)
        await other.sign_in(name)
        statuses = []
        for guess in [*guesses[: many - 1], right]:
            await (await other.type_code(guess)).follow()
            statuses.append(other.status)
        if statuses[-1] == 429:
            assert int(other.headers["Retry-After"]) > 0
            assert "Too many tries" in other.body
        return statuses

    assert await outcomes("bob", 4) == [400, 400, 400, 200]
    assert await outcomes("bob", 3) == [400, 429, 429]
    assert await outcomes("alice", 5) == [400, 400, 400, 400, 429]
    # Slots of failed logins are others: whoever mistyped codes could sign in all the same.
    assert phone.bench.counted("rate_limited_total", rule="rate_limited_account") == 3
    phone.bench.clock.advance(3600)
    right = (await begin(phone))["user_code"]
    assert await outcomes("alice", 1) == [200]


async def test_right_codes_cost_no_slot(phone: Phone) -> None:
    phone.bench.offer("rate_limits: {login_failures_per_account: 1/hour}")
    code = (await begin(phone))["user_code"]
    await phone.sign_in()
    for _ in range(4):
        await (await phone.type_code(code)).follow()
        assert phone.status == 200


async def test_a_link_alone_approves_nothing(phone: Phone) -> None:
    codes = await begin(phone, "ours")
    await phone.sign_in()
    await phone.go(f"/device?user_code={codes['user_code']}")
    assert phone.shows == "Connect a device"
    await (await phone.send(user_code=codes["user_code"])).follow()
    assert "asks for access" in phone.shows
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes, client="ours")


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        pytest.param({"csrf": ""}, {}, id="no token"),
        pytest.param({"csrf": "0" * 73}, {}, id="another token"),
        pytest.param({}, {"Origin": "https://evil.example"}, id="another site"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site, as the browser says"),
    ],
)
async def test_another_site_can_neither_enter_a_code_nor_answer(
    phone: Phone, fields: dict[str, str], headers: dict[str, str]
) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    good = phone.fields
    for sent in ({"answer": "allow"}, {"user_code": codes["user_code"]}):
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in phone.jar.items())}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=headers | cookies) as session,
            session.post(f"{phone.address}/device", data={**good, **sent, **fields}, allow_redirects=False) as answer,
        ):
            assert answer.status == 403
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)


async def test_the_answer_is_of_the_person_whom_the_page_asked(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    asked = phone.fields
    await phone.sign_in("bob")
    await phone.go("/device", "POST", data={**asked, "answer": "allow"})
    assert phone.status == 303
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)
    await phone.follow()
    assert "You are signed in as bob." in phone.body
    await phone.send(answer="allow")
    assert (await poll(phone, codes, after=timedelta(seconds=5))).claims["sub"] != phone.bench.alice.subject


async def test_who_has_signed_out_meanwhile_is_asked_to_sign_in(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    del phone.jar[SESSION]
    await phone.send(answer="allow")
    await phone.follow()
    assert phone.shows == "Sign in"


async def test_the_ticket_of_another_browser_or_another_purpose_is_worth_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.type_code(codes["user_code"])
    ticket = parse_qs(urlsplit(phone.location).query)["ticket"][0]
    other = Phone(phone.bench, phone.address)
    await other.sign_in()
    await other.go(f"/device?ticket={ticket}")
    assert other.status == 400
    await other.go("/login")
    await other.go(f"/device?ticket={other.fields['ticket']}")
    assert other.status == 400


async def test_answering_twice_is_told_like_a_used_code(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    again = {**phone.fields, "answer": "deny"}
    await phone.send(answer="allow")
    await phone.go("/device", "POST", data=again)
    assert phone.status == 400
    assert (await poll(phone, codes)).access


async def test_pages_are_for_phones_and_nobody_frames_or_keeps_them(phone: Phone) -> None:
    await phone.go("/device?user_code=%3Cscript%3E")
    assert "width=device-width" in phone.body
    assert "<script" not in phone.body
    assert phone.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in phone.headers["Content-Security-Policy"]
    assert "script-src" not in phone.headers["Content-Security-Policy"]


async def test_in_german(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    ticket = phone.fields["ticket"]
    headers = {"Accept-Language": "de", "Cookie": "; ".join(f"{name}={value}" for name, value in phone.jar.items())}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(URL(f"{phone.address}/device?ticket={ticket}", encoded=True)) as answer,
    ):
        assert "lehnen Sie ab" in await answer.text()
