"""Another address of an account: it counts once its mailbox has answered."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from authcenter.core.event import EventKind
from authcenter.core.mail import MailKind
from authcenter.core.secret import Secret
from authcenter.http.server import Listener
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import letters, link
from tests.workbench import PASSWORD, Workbench

NEW = "alice@new.example"
LINK = MailKind.CONFIRM_NEW_ADDRESS


@pytest.fixture
async def tab(bench: Workbench, waits: list[float]) -> AsyncIterator[Tab]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def sign_in(tab: Tab, username: str = "alice") -> Shown:
    shown = await tab.get("/login")
    return await tab.post("/login", {**shown.fields, "username": username, "password": PASSWORD})


async def ask(tab: Tab, email: str = NEW) -> Shown:
    shown = await tab.get("/account/address")
    return await tab.post("/account/address", {**shown.fields, "email": email})


async def confirm(tab: Tab) -> Shown:
    shown = await tab.get("/account/address/confirm")
    return await tab.post("/account/address/confirm", shown.fields)


async def test_the_link_in_the_new_mailbox_makes_the_address_count(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    assert (await ask(tab)).location == "/account/address/sent"
    assert (await tab.get("/account/address/sent")).status == 200
    assert bench.alice.email == "alice@example.com"
    assert [letter.to for letter in await letters(bench)] == [NEW]
    await tab.get(await link(bench, LINK))
    shown = await tab.get("/account/address/confirm")
    assert NEW in shown.body
    assert bench.alice.email == "alice@example.com", "looking at it changes nothing"
    bench.events.clear()
    confirmed = await confirm(tab)
    assert confirmed.location == "/account/address/done"
    assert (await tab.get("/account/address/done")).status == 200
    assert NEW in (await tab.get("/account")).body
    assert (bench.alice.email, bench.alice.email_verified) == (NEW, True)
    assert [letter.to for letter in await letters(bench, MailKind.ADDRESS_CHANGED)] == ["alice@example.com"]
    assert bench.kinds() == [EventKind.USER_ADDRESS_CHANGED]
    assert (await sign_in(Tab(tab.address), NEW)).location == "/account"


async def test_the_link_works_in_another_browser_once_signed_in_there(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    await ask(tab)
    other = Tab(tab.address)
    page = await other.follow(await other.get(await link(bench, LINK)))
    arrived = await other.post("/login", {**page.fields, "username": "alice", "password": PASSWORD})
    assert arrived.location == "/account/address/confirm"
    assert (await confirm(other)).location == "/account/address/done"
    assert bench.alice.email == NEW


async def test_the_owner_of_a_mistyped_address_gains_nothing(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.create("bob", NEW.replace("alice", "bob"), Secret(PASSWORD), actor="tests")
    await sign_in(tab)
    await ask(tab)
    stranger = Tab(tab.address)
    await sign_in(stranger, "bob")
    await stranger.get(await link(bench, LINK))
    shown = await stranger.get("/account/address/confirm")
    assert shown.status == 400
    assert "another account" in shown.body
    fields = (await stranger.get("/account")).fields
    assert (await stranger.post("/account/address/confirm", fields)).status == 400
    assert bench.alice.email == "alice@example.com"


async def test_a_sign_in_of_long_ago_is_not_enough(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    shown = await tab.get("/account/address")
    bench.clock.advance(301)
    assert (await tab.get("/account/address")).location.startswith("/login?ticket=")
    answer = await tab.post("/account/address", {**shown.fields, "email": NEW})
    assert answer.location.startswith("/login?ticket=")
    assert await letters(bench) == []


@pytest.mark.parametrize("email", ["", "alice", "ALICE@example.com", "a b@new.example", f"{'a' * 400}@new.example"])
async def test_what_cannot_become_the_address_is_said_so(bench: Workbench, tab: Tab, email: str) -> None:
    await sign_in(tab)
    shown = await ask(tab, email)
    assert shown.status == 422
    assert 'aria-invalid="true"' in shown.body
    assert await letters(bench) == []


async def test_nobody_learns_that_an_address_has_an_account(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.create("bob", "bob@example.com", Secret(PASSWORD), actor="tests")
    await sign_in(tab)
    asked: list[list[str]] = []
    for email in (NEW, "Bob@example.com"):
        fields = (await tab.get("/account/address")).fields
        bench.board.asked.clear()
        assert (await tab.post("/account/address", {**fields, "email": email})).location == "/account/address/sent"
        asked.append(sorted(bench.board.asked))
    assert asked[0] == asked[1]
    told = [(letter.kind, letter.to) for letter in await letters(bench)]
    assert told == [(LINK, NEW), (MailKind.ADDRESS_HAS_ACCOUNT, "bob@example.com")]
    assert all("link" not in letter.values for letter in await letters(bench, MailKind.ADDRESS_HAS_ACCOUNT))


async def test_an_address_that_was_taken_meanwhile_stays_with_who_took_it(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    await ask(tab)
    await tab.get(await link(bench, LINK))
    shown = await tab.get("/account/address/confirm")
    await bench.core.accounts.create("bob", NEW, Secret(PASSWORD), actor="tests")
    assert (await tab.post("/account/address/confirm", shown.fields)).status == 400
    assert bench.alice.email == "alice@example.com"


async def test_a_newer_link_ends_the_older_one(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    await ask(tab)
    first = await link(bench, LINK)
    await ask(tab, "alice@newer.example")
    await tab.get(first)
    assert (await tab.get("/account/address/confirm")).status == 400
    await tab.get(await link(bench, LINK))
    assert (await confirm(tab)).status == 303
    assert bench.alice.email == "alice@newer.example"


async def test_a_link_lapses_as_the_policy_says(bench: Workbench, tab: Tab) -> None:
    bench.offer("accounts: {verify_ttl: 60}")
    await sign_in(tab)
    await ask(tab)
    await tab.get(await link(bench, LINK))
    bench.clock.advance(60)
    assert (await tab.get("/account/address/confirm")).status == 400


async def test_a_link_counts_once(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    await ask(tab)
    await tab.get(await link(bench, LINK))
    fields = (await tab.get("/account/address/confirm")).fields
    answers = await asyncio.gather(*(tab.post("/account/address/confirm", fields) for _ in range(3)))
    assert sorted(one.status for one in answers) == [303, 400, 400]
    assert len(await letters(bench, MailKind.ADDRESS_CHANGED)) == 1


async def test_a_link_to_the_former_mailbox_sets_no_password_any_more(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    await ask(tab)
    fields = (await tab.get("/password/forgot")).fields
    await tab.post("/password/forgot", {**fields, "email": "alice@example.com"})
    reset = await link(bench)
    await tab.get(await link(bench, LINK))
    await confirm(tab)
    await tab.get(reset)
    assert (await tab.get("/password/reset")).status == 400


async def test_who_is_named_by_the_address_goes_on_being_so(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.create("jo@example.com", "jo@example.com", Secret(PASSWORD), actor="tests")
    await sign_in(tab, "jo@example.com")
    await ask(tab, "jo@new.example")
    await tab.get(await link(bench, LINK))
    await confirm(tab)
    user = await bench.core.accounts.get("jo@new.example")
    assert (user.username, user.email) == ("jo@new.example", "jo@new.example")


async def test_one_mailbox_is_asked_only_so_often(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {mail_per_address: 1/hour}")
    await bench.add_user("bob")
    for username in ("alice", "bob"):
        tab.jar.clear()
        await sign_in(tab, username)
        assert (await ask(tab)).location == "/account/address/sent"
    assert len(await letters(bench)) == 1


async def test_an_account_writes_to_only_so_many_mailboxes(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {mail_per_address: 3/hour}")
    await sign_in(tab)
    for number in range(3):
        assert (await ask(tab, f"stranger-{number}@new.example")).location == "/account/address/sent"
    bench.events.clear()
    limited = await ask(tab, "one-more@new.example")
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) == 1200
    assert 'value="one-more@new.example"' in limited.body
    assert len(await letters(bench)) == 3
    assert bench.events == []
    assert bench.counted("rate_limited_total", rule="rate_limited_mail") == 1
    await bench.add_user("bob")
    other = Tab(tab.address)
    await sign_in(other, "bob")
    assert (await ask(other, "bob@new.example")).location == "/account/address/sent"
    bench.clock.advance(1200)
    await sign_in(tab)
    assert (await ask(tab, "one-more@new.example")).location == "/account/address/sent"


async def test_a_mailbox_that_nobody_has_proved_reads_no_words_of_who_asks(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.create("You won!", "winner@example.com", Secret(PASSWORD), actor="tests")
    await sign_in(tab, "You won!")
    await ask(tab)
    [letter] = await letters(bench, LINK)
    assert set(letter.values) == {"link"}
