"""A forgotten password: asked for by anybody, set by whoever reads the mailbox, once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from authcenter.core.errors import OAuthError
from authcenter.core.event import EventKind
from authcenter.core.mail import MailKind
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import letters, link, work
from tests.workbench import PASSWORD, Workbench

NEW = "seven green umbrellas"


@pytest.fixture
async def tab(bench: Workbench, waits: list[float]) -> AsyncIterator[Tab]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def forget(tab: Tab, email: str = "alice@example.com", **headers: str) -> Shown:
    shown = await tab.get("/password/forgot")
    return await tab.post("/password/forgot", {**shown.fields, "email": email}, **headers)


async def choose(tab: Tab, password: str = NEW, again: str | None = None) -> Shown:
    shown = await tab.get("/password/reset")
    typed = {"password": password, "again": password if again is None else again}
    return await tab.post("/password/reset", {**shown.fields, **typed})


async def sign_in(tab: Tab, password: str) -> Shown:
    shown = await tab.get("/login")
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": password})


async def test_the_link_of_the_mail_sets_a_password_in_any_browser(bench: Workbench, tab: Tab) -> None:
    assert (await forget(tab)).location == "/password/forgot/sent"
    mail = (await letters(bench, MailKind.RESET_PASSWORD))[-1]
    assert (mail.to, mail.language, mail.values["name"]) == ("alice@example.com", "en", "alice")
    other = Tab(tab.address)
    followed = await other.get(mail.values["link"])
    assert (followed.status, followed.location) == (303, "/password/reset")
    assert "alice" in (await other.get("/password/reset")).body
    done = await choose(other)
    assert done.location == "/password/reset/done"
    assert (await other.follow(done)).status == 200
    assert (await sign_in(tab, PASSWORD)).status == 401
    assert (await sign_in(tab, NEW)).location == "/account"


async def test_a_reset_ends_all_that_was_issued_and_tells_the_owner(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab, PASSWORD)
    issued = await bench.issue()
    await forget(tab)
    thief = Tab(tab.address)
    await thief.get(await link(bench))
    bench.events.clear()
    await choose(thief)
    await bench.follow()
    assert not await bench.active(issued.access)
    assert bench.ended(issued.refresh)
    assert (await tab.get("/account")).location.startswith("/login")
    assert [letter.to for letter in await letters(bench, MailKind.PASSWORD_CHANGED)] == ["alice@example.com"]
    (event,) = [event for event in bench.events if event.kind == EventKind.USER_PASSWORD_SET]
    assert (event.actor, event.context["way"]) == (bench.alice.subject, "link")


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com", "nobody@example.com", "alice@example.org"])
async def test_the_answer_is_the_same_for_every_address(bench: Workbench, tab: Tab, email: str) -> None:
    shown = await forget(tab, email)
    assert (shown.status, shown.location) == (303, "/password/forgot/sent")
    assert [name for name in bench.board.asked if name.startswith("users.")] == []
    assert bench.board.asked.count("outbox.add") == 1
    known = email.lower() == "alice@example.com"
    assert [letter.to for letter in await letters(bench)] == (["alice@example.com"] if known else [])


async def test_a_request_waits_in_the_outbox_sealed(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    (row,) = bench.record.tables.outbox.values()
    assert "alice" not in str(row)


async def test_beyond_the_limit_of_an_address_nothing_is_sent_and_nobody_is_told(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {mail_per_address: 2/hour}")
    answers = [await forget(tab, email) for email in ("alice@example.com", "Alice@Example.com", "alice@example.com")]
    assert {(shown.status, shown.location) for shown in answers} == {(303, "/password/forgot/sent")}
    assert len(await letters(bench)) == 2


async def test_one_network_asks_only_so_often(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {signup_per_ip: 2/hour}")
    answers = [await forget(tab, f"somebody{number}@example.com") for number in range(3)]
    assert [shown.status for shown in answers] == [303, 303, 429]
    assert int(answers[-1].headers["Retry-After"]) > 60
    assert 'role="alert"' in answers[-1].body


@pytest.mark.parametrize("email", ["", "alice", "alice@", "a b@example.com", "alice@example.com\nx"])
async def test_what_is_no_address_is_said_to_be_none(bench: Workbench, tab: Tab, email: str) -> None:
    shown = await forget(tab, email)
    assert shown.status == 422
    assert 'aria-invalid="true"' in shown.body
    assert bench.record.tables.outbox == {}


async def test_a_newer_link_ends_the_older_one(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    first = await link(bench)
    await forget(tab)
    second = await link(bench)
    await tab.get(first)
    gone = await tab.get("/password/reset")
    assert gone.status == 400
    assert "/password/forgot" in gone.body
    await tab.get(second)
    assert (await choose(tab)).status == 303


async def test_a_request_done_twice_makes_one_link_and_one_mail(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    (row,) = bench.record.tables.outbox.values()
    await work(bench)
    bench.record.tables.outbox[row.job.job_id] = row
    assert len(await letters(bench)) == 1
    assert len(bench.record.tables.reset_links) == 1


async def test_a_link_lapses(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    await tab.get(await link(bench))
    bench.clock.advance(3_599)
    shown = await tab.get("/password/reset")
    assert shown.status == 200
    bench.clock.advance(1)
    assert (await tab.post("/password/reset", {**shown.fields, "password": NEW, "again": NEW})).status == 400
    assert (await tab.get("/password/reset")).status == 400
    assert (await sign_in(tab, PASSWORD)).status == 303


async def test_of_two_that_use_a_link_at_once_one_sets_the_password(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    path = await link(bench)
    tabs = [Tab(tab.address) for _ in range(4)]
    passwords = [f"{NEW} {number}" for number in range(4)]
    forms = [
        {**(await one.follow(await one.get(path))).fields, "password": word, "again": word}
        for one, word in zip(tabs, passwords, strict=True)
    ]
    answers = await asyncio.gather(*(one.post("/password/reset", form) for one, form in zip(tabs, forms, strict=True)))
    assert sorted(shown.status for shown in answers) == [303, 400, 400, 400]
    (winner,) = [word for shown, word in zip(answers, passwords, strict=True) if shown.status == 303]
    assert (await sign_in(tab, winner)).status == 303
    assert len(await letters(bench, MailKind.PASSWORD_CHANGED)) == 1


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        pytest.param("short", None, "at least 8", id="short"),
        pytest.param("password123", None, "tried first", id="common"),
        pytest.param("alice@example.com", None, "your name", id="about the person"),
        pytest.param(PASSWORD, None, "that you have", id="the present one"),
        pytest.param(NEW, "seven green umbrella", "not the same", id="mistyped"),
        pytest.param("", None, "at least 8", id="empty"),
    ],
)
async def test_a_password_that_does_not_do_spends_nothing(
    bench: Workbench, tab: Tab, password: str, again: str | None, said: str
) -> None:
    await forget(tab)
    await tab.get(await link(bench))
    shown = await choose(tab, password, again)
    assert shown.status == 422
    assert said in shown.body
    assert 'role="alert"' in shown.body
    assert password == "" or f'value="{password}"' not in shown.body
    assert (await choose(tab)).status == 303


async def test_a_password_set_elsewhere_ends_the_link(bench: Workbench, tab: Tab) -> None:
    await forget(tab)
    await tab.get(await link(bench))
    other = Tab(tab.address)
    await forget(other)
    await other.get(await link(bench))
    await choose(other)
    assert (await tab.get("/password/reset")).status == 400


@pytest.mark.parametrize("when", ["before the mail", "after it"])
async def test_nobody_disabled_sets_a_password(bench: Workbench, tab: Tab, when: str) -> None:
    await forget(tab)
    if when == "before the mail":
        await bench.core.accounts.disable("alice", actor="tests")
        assert await letters(bench) == []
        return
    await tab.get(await link(bench))
    await bench.core.accounts.disable("alice", actor="tests")
    assert (await tab.get("/password/reset")).status == 400


async def test_a_reset_proves_the_address(bench: Workbench, tab: Tab) -> None:
    held = bench.record.tables.users[bench.alice.subject]
    await bench.core.accounts.store.replace(
        type(held.user)(**{name: getattr(held.user, name) for name in held.user.__slots__} | {"email_verified": False})
    )
    await forget(tab)
    await tab.get(await link(bench))
    await choose(tab)
    assert bench.alice.email_verified


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "<script>"])
async def test_a_link_that_was_never_sent_sets_nothing(tab: Tab, token: str) -> None:
    await tab.get(f"/password/reset?token={token}")
    shown = await tab.get("/password/reset")
    assert shown.status == 400
    assert "not valid" in shown.body


async def test_without_a_record_nothing_is_promised(bench: Workbench, tab: Tab) -> None:
    shown = await tab.get("/password/forgot")
    bench.board.down = True
    answer = await tab.post("/password/forgot", {**shown.fields, "email": "alice@example.com"})
    assert answer.status == 503


async def test_the_mail_is_written_in_the_language_of_who_asked(bench: Workbench, tab: Tab) -> None:
    await forget(tab, Accept_Language="de-AT")
    assert (await letters(bench))[-1].language == "de"


async def test_an_operator_sees_why_a_password_does_not_count(bench: Workbench) -> None:
    await bench.core.accounts.require_reset("alice", actor="tests")
    bench.clock.advance(5)
    with pytest.raises(OAuthError) as caught:
        await bench.issue()
    assert caught.value.rule is Rule.USER_RESET_REQUIRED
    with pytest.raises(OAuthError) as caught:
        await bench.issue(password="wrong")
    assert caught.value.rule is Rule.USER_PASSWORD_WRONG


async def test_strangers_who_sign_up_with_an_address_keep_no_link_from_its_owner(bench: Workbench, tab: Tab) -> None:
    bench.offer("accounts: {signup: true}")
    for _ in range(6):
        shown = await tab.get("/signup")
        await tab.post("/signup", {**shown.fields, "email": "alice@example.com"})
    assert len(await letters(bench, MailKind.ADDRESS_HAS_ACCOUNT)) == 5
    await forget(tab)
    assert len(await letters(bench, MailKind.RESET_PASSWORD)) == 1
