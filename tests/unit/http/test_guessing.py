"""Somebody guesses passwords: how many, how fast, who hears of it, and that the owner gets in all the same."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.mail import Letter, MailKind
from authcenter.http.server import Listener
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD, Workbench

Opens = Callable[[], Tab]
FEW = "rate_limits: {login_failures_per_ip: 1000/hour, login_failures_per_account: 3/hour}"
SESSION = "__Host-authcenter_session"


@pytest.fixture
async def opens(bench: Workbench) -> AsyncIterator[Opens]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield lambda: Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def sign_in(tab: Tab, password: str = PASSWORD, name: str = "alice", **headers: str) -> Shown:
    shown = await tab.get("/login")
    return await tab.post("/login", {**shown.fields, "username": name, "password": password}, **headers)


async def guess(tab: Tab, times: int, name: str = "alice", **headers: str) -> list[int]:
    return [(await sign_in(tab, f"guess {number}", name, **headers)).status for number in range(times)]


def letters(bench: Workbench) -> list[Letter]:
    rows = [row.job for row in bench.record.tables.outbox.values() if row.job.name == "mail"]
    opened = [bench.core.letters.open(job.payload) for job in rows]
    return [letter for letter in opened if letter is not None]


async def test_a_browser_that_signed_in_before_is_not_shut_out_by_others(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    owners, strangers = opens(), opens()
    assert (await sign_in(owners)).status == 303
    assert await guess(strangers, 5) == [401] * 3 + [429] * 2
    assert (await sign_in(strangers)).status == 429, "even with the right password"
    assert bench.counted("rate_limited_total", rule="rate_limited_account") == 3
    bench.clock.advance(5)
    assert (await sign_in(owners)).status == 303


async def test_nor_by_others_behind_the_same_address(opens: Opens, bench: Workbench) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 3/hour, login_failures_per_account: 1000/hour}")
    owners, strangers = opens(), opens()
    await sign_in(owners)
    for number in range(4):
        await guess(strangers, 1, f"name-{number}")
    assert (await sign_in(strangers)).status == 429
    bench.clock.advance(5)
    assert (await sign_in(owners)).status == 303


async def test_it_has_a_count_of_its_own_which_ends_too(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    tab = opens()
    await sign_in(tab)
    assert await guess(tab, 5) == [401] * 3 + [429] * 2
    assert await guess(opens(), 1) == [401], "its failures are not the account's"
    bench.clock.advance(1200)
    assert (await sign_in(tab)).status == 303


async def test_what_it_keeps_is_out_of_reach_of_scripts_and_other_hosts(opens: Opens, bench: Workbench) -> None:
    lines = (await sign_in(opens())).headers.getall("Set-Cookie")
    (line,) = [line for line in lines if "_device=" in line]
    assert re.fullmatch(
        r"__Host-authcenter_device=[\w-]+; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure", line
    )


async def test_it_is_worth_nothing_at_another_account(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    await bench.add_user("mallory")
    tab = opens()
    await sign_in(tab, name="mallory")
    assert await guess(tab, 5) == [401] * 3 + [429] * 2
    assert await guess(opens(), 1) == [429]


async def test_an_account_that_is_shut_is_open_again_by_time_alone(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    stranger = opens()
    assert (await guess(stranger, 4))[-1] == 429
    bench.clock.advance(1200)
    assert (await sign_in(opens())).status == 303


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_the_more_fail_the_longer_a_try_waits(opens: Opens, bench: Workbench, name: str) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 1000/hour, login_failures_per_account: 13/hour}")
    tab = opens()
    assert await guess(tab, 14, name) == [401] * 13 + [429]
    assert bench.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2, 3.2]


async def test_a_right_password_waits_like_a_wrong_one(opens: Opens, bench: Workbench) -> None:
    tab = opens()
    await guess(tab, 6)
    bench.pauses.clear()
    assert (await sign_in(tab)).status == 303
    assert bench.pauses == [0.2]


async def test_many_who_sign_in_at_once_do_not_wait_for_each_other(opens: Opens, bench: Workbench) -> None:
    answers = await asyncio.gather(*(sign_in(opens()) for _ in range(10)))
    assert {answer.status for answer in answers} == {303}
    assert bench.pauses == []


async def test_the_owner_gets_one_mail_a_bout_however_long_it_lasts(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    stranger = opens()
    assert letters(bench) == []
    for _ in range(10):
        await guess(stranger, 5)
        bench.clock.advance(3600)
    values = {"name": "alice", "address": "127.0.0.1"}
    assert letters(bench) == [Letter(MailKind.FAILED_SIGN_INS, "alice@example.com", "en", values)]
    assert [event.subject for event in bench.events if event.kind == "sign_ins.failed"] == [bench.alice.subject]
    bench.clock.advance(86_400)
    await guess(stranger, 5)
    assert len(letters(bench)) == 2


async def test_whichever_name_is_tried_it_is_one_mail(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    await guess(opens(), 4, "alice")
    await guess(opens(), 4, "alice@example.com")
    assert len(letters(bench)) == 1


async def test_the_mail_is_in_the_owners_language(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    await bench.core.accounts.set_claims("alice", {"locale": "de-AT"}, actor="tests")
    await guess(opens(), 4)
    assert [letter.language for letter in letters(bench)] == ["de"]


async def test_a_name_that_nobody_has_is_noted_alike_and_gets_no_mail(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    asked = []
    for name in ("alice", "nobody"):
        await guess(opens(), 2, name)
        bench.board.asked.clear()
        await guess(opens(), 1, name)
        asked.append([call for call in bench.board.asked if call != "sessions.find"])
    assert asked[0] == asked[1]
    assert "outbox.add" in asked[0]
    assert len(letters(bench)) == 1
    assert [event.subject for event in bench.events if event.kind == "sign_ins.failed"] == [bench.alice.subject, ""]


async def test_slips_of_a_person_are_told_to_nobody(opens: Opens, bench: Workbench) -> None:
    tab = opens()
    await guess(tab, 4)
    assert (await sign_in(tab)).status == 303
    assert letters(bench) == []


async def test_where_the_notice_can_not_be_left_the_answer_is_the_same(opens: Opens, bench: Workbench) -> None:
    bench.offer(FEW)
    await guess(opens(), 2)
    bench.board.off.add("outbox.add")
    assert await guess(opens(), 2) == [401, 429]


PROXIES = [
    pytest.param("", [401] * 3 + [429] * 3, id="a stranger's header makes no other address of him"),
    pytest.param("127.0.0.1/32", [401] * 6, id="a trusted proxy's does"),
]


@pytest.mark.parametrize(("trusted", "statuses"), PROXIES)
async def test_whose_word_counts_for_an_address(
    cheap_hashing: PasswordHashing, trusted: str, statuses: list[int]
) -> None:
    policy = "rate_limits: {login_failures_per_ip: 3/hour, login_failures_per_account: 1000/hour}"
    bench = await Workbench(cheap_hashing, policy, TRUSTED_PROXIES=trusted).start()
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    try:
        tab, told = Tab(f"http://127.0.0.1:{listener.port}"), []
        for number in range(6):
            told += await guess(tab, 1, X_Forwarded_For=f"192.0.2.{number}")
        assert told == statuses
    finally:
        await listener.runner.cleanup()


async def test_behind_a_trusted_proxy_an_ipv6_network_is_one_address(cheap_hashing: PasswordHashing) -> None:
    policy = "rate_limits: {login_failures_per_ip: 3/hour, login_failures_per_account: 1000/hour}"
    bench = await Workbench(cheap_hashing, policy, TRUSTED_PROXIES="127.0.0.1/32").start()
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    try:
        tab, told = Tab(f"http://127.0.0.1:{listener.port}"), []
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8::4", "2001:db8:0:1::5"):
            told += await guess(tab, 1, X_Forwarded_For=address)
        assert told == [401] * 3 + [429, 401]
    finally:
        await listener.runner.cleanup()


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-Ip", "Client-Ip", "True-Client-Ip"])
async def test_no_header_of_a_stranger_makes_more_guesses(opens: Opens, bench: Workbench, header: str) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 2/hour, login_failures_per_account: 1000/hour}")
    told = []
    for number in range(4):
        value = f"for=192.0.2.{number}" if header == "Forwarded" else f"192.0.2.{number}"
        told += await guess(opens(), 1, f"name-{number}", **{header.replace("-", "_"): value})
    assert told == [401, 401, 429, 429]
