"""Somebody who has a password guesses second factors: the log has every try, and the owner hears of it."""

import json
from collections.abc import AsyncIterator

import pytest

from authcenter.core.mail import Letter, MailKind
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from authcenter.stores.ports.audit import AuditRow
from tests.authenticator import Authenticator, enrol
from tests.passkey_device import Lie, PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import letters
from tests.unit.http.passkey_walks import enrolled, second
from tests.workbench import PASSWORD, Workbench, refused

PAGE = "/login/second-factor"
FEW = "rate_limits: {login_failures_per_ip: 1000/hour, login_failures_per_account: 3/hour}"
KIND = MailKind.FAILED_SECOND_FACTORS


@pytest.fixture
async def tab(bench: Workbench) -> AsyncIterator[Tab]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


@pytest.fixture
async def app(bench: Workbench) -> Authenticator:
    return await enrol(bench)


async def guess(tab: Tab, code: str, act: str = "code") -> Shown:
    shown = await tab.get("/login")
    asked = await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD})
    page = await tab.follow(asked)
    return await tab.post(PAGE, {**page.fields, "code": code, "act": act})


async def refusals(bench: Workbench) -> list[AuditRow]:
    await bench.service.audit.flush()
    return [row for row in bench.record.tables.audit if row.event == "sign_in.refused"]


async def test_each_wrong_one_is_in_the_audit_log_with_whose_it_was(
    bench: Workbench, tab: Tab, app: Authenticator
) -> None:
    await guess(tab, app.code())
    tab.jar.clear()
    await guess(tab, app.wrong_code())
    await guess(tab, app.code())
    await guess(tab, "00000-00000", "recovery")
    rows = await refusals(bench)
    rules = [Rule.SECOND_FACTOR_WRONG, Rule.SECOND_FACTOR_REPLAYED, Rule.RECOVERY_CODE_WRONG]
    assert [json.loads(row.context) for row in rows] == [{"rule": rule} for rule in rules]
    assert {(row.subject, row.ip) for row in rows} == {(bench.alice.subject, "127.0.0.1")}


async def test_the_owner_gets_one_mail_a_bout(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    bench.offer(FEW)
    for _ in range(3):
        for _ in range(4):
            await guess(tab, app.wrong_code())
        bench.clock.advance(3600)
    values = {"name": "alice", "address": "127.0.0.1"}
    assert await letters(bench, KIND) == [Letter(KIND, "alice@example.com", "en", values)]
    told = [event for event in bench.events if event.kind == "sign_ins.failed"]
    assert [(event.subject, event.context) for event in told] == [(bench.alice.subject, {"wrong": "second_factor"})]
    bench.clock.advance(86_400)
    for _ in range(3):
        await guess(tab, app.wrong_code())
    assert len(await letters(bench, KIND)) == 2


async def test_a_bout_of_passwords_does_not_hide_one_of_codes(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    bench.offer(FEW)
    for number in range(3):
        stranger = Tab(tab.address)
        shown = await stranger.get("/login")
        await stranger.post("/login", {**shown.fields, "username": "alice", "password": f"guess {number}"})
    bench.clock.advance(3600)
    for _ in range(3):
        await guess(tab, app.wrong_code())
    assert len(await letters(bench, MailKind.FAILED_SIGN_INS)) == 1
    assert len(await letters(bench, KIND)) == 1


async def test_a_passkey_that_fails_last_is_told_like_a_code(bench: Workbench, tab: Tab) -> None:
    bench.offer(FEW)
    device = PasskeyDevice()
    await enrolled(tab.address, device)
    for _ in range(2):
        await guess(tab, "00000-00000", "recovery")
    assert (await second(tab, device, Lie(handle=b"usr_another"))).status == 401
    assert len(await letters(bench, KIND)) == 1


async def test_slips_of_a_person_are_told_to_nobody(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    bench.offer(FEW)
    for _ in range(2):
        assert (await guess(tab, app.wrong_code())).status == 401
    assert (await guess(tab, app.code())).location == "/account"
    assert await letters(bench, KIND) == []


async def test_the_password_grant_tells_like_the_page(bench: Workbench, app: Authenticator) -> None:
    bench.offer(FEW)
    for _ in range(3):
        with refused(Rule.SECOND_FACTOR_WRONG):
            await bench.issue(otp=app.wrong_code())
    assert len(await letters(bench, KIND)) == 1


async def test_where_the_notice_can_not_be_left_the_answer_is_the_same(
    bench: Workbench, tab: Tab, app: Authenticator
) -> None:
    bench.offer(FEW)
    bench.board.off.add("outbox.add")
    assert [(await guess(tab, app.wrong_code())).status for _ in range(4)] == [401] * 3 + [429]


async def test_who_sets_an_app_up_and_mistypes_is_no_stranger(bench: Workbench, tab: Tab) -> None:
    bench.offer(FEW)
    shown = await tab.get("/login")
    await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD})
    page = await tab.get("/account/second-factors")
    await tab.post("/account/second-factors", {**page.fields, "act": "begin"})
    for _ in range(3):
        page = await tab.get("/account/second-factors?setup=1")
        answer = await tab.post("/account/second-factors", {**page.fields, "act": "confirm", "code": "none"})
        assert answer.status == 401
    assert await refusals(bench) == []
    assert await letters(bench, KIND) == []


async def test_the_mail_is_in_the_owners_language(bench: Workbench, app: Authenticator) -> None:
    bench.offer(FEW)
    await bench.core.accounts.set_claims("alice", {"locale": "de-AT"}, actor="tests")
    for _ in range(3):
        with refused(Rule.SECOND_FACTOR_WRONG):
            await bench.issue(otp=app.wrong_code())
    assert [letter.language for letter in await letters(bench, KIND)] == ["de"]
