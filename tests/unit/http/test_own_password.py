"""Another password for who knows the present one: under ``/account``, or because an operator demands it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from authcenter.core.event import EventKind
from authcenter.core.mail import MailKind
from authcenter.core.secret import Secret
from authcenter.http.pages.demanded_password import DemandedPasswordPage
from authcenter.http.server import Listener
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import letters, link
from tests.workbench import PASSWORD, Workbench

NEW, NEWER = "seven green umbrellas", "eight blue umbrellas"
CHANGE = {"old": PASSWORD, "password": NEW, "again": NEW}


@pytest.fixture
async def tab(bench: Workbench, waits: list[float]) -> AsyncIterator[Tab]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def sign_in(tab: Tab, password: str = PASSWORD, path: str = "/login") -> Shown:
    shown = await tab.follow(await tab.get(path))
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": password})


async def change(tab: Tab, **changes: str) -> Shown:
    shown = await tab.get("/account/password")
    return await tab.post("/account/password", {**shown.fields, **CHANGE, **changes})


def page_of(bench: Workbench) -> DemandedPasswordPage:
    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    cells = [cell.cell_contents for cell in frame.router.find("/password/new").handlers["GET"].__closure__]
    owners = [getattr(cell, "__self__", None) for cell in cells]
    return next(owner for owner in owners if isinstance(owner, DemandedPasswordPage))


async def demand(bench: Workbench, tab: Tab) -> Shown:
    """Somebody with the right password, on the page that demands another."""
    await bench.core.accounts.require_reset("alice", actor="tests")
    bench.clock.advance(5)
    return await tab.follow(await sign_in(tab))


async def answer(tab: Tab, shown: Shown, password: str = NEW, again: str | None = None) -> Shown:
    typed = {"password": password, "again": password if again is None else again}
    return await tab.post("/password/new", {**shown.fields, **typed})


async def test_a_change_ends_every_other_session_and_keeps_this_one(bench: Workbench, tab: Tab) -> None:
    other = Tab(tab.address)
    await sign_in(other)
    await sign_in(tab)
    issued = await bench.issue()
    bench.clock.advance(5)
    bench.events.clear()
    changed = await change(tab)
    assert (changed.status, changed.location) == (303, "/account/password/done")
    await bench.follow()
    assert (await tab.follow(changed)).status == 200
    assert (await tab.get("/account")).status == 200
    assert (await other.get("/account")).location.startswith("/login")
    assert not await bench.active(issued.access)
    assert bench.ended(issued.refresh)
    assert [letter.to for letter in await letters(bench, MailKind.PASSWORD_CHANGED)] == ["alice@example.com"]
    assert EventKind.USER_PASSWORD_SET in bench.kinds()
    assert (await sign_in(Tab(tab.address))).status == 401
    assert (await sign_in(Tab(tab.address), NEW)).status == 303


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({"old": "wrong"}, 401, "not your present password", id="wrong old one"),
        pytest.param({"old": ""}, 401, "not your present password", id="no old one"),
        pytest.param({"again": "other"}, 422, "not the same", id="mistyped"),
        pytest.param({"password": "x", "again": "x"}, 422, "at least 8", id="short"),
        pytest.param({"password": PASSWORD, "again": PASSWORD}, 422, "that you have", id="the same"),
        pytest.param(
            {"password": "alice@example.com", "again": "alice@example.com"}, 422, "your name", id="about the person"
        ),
    ],
)
async def test_what_does_not_do_changes_nothing(
    bench: Workbench, tab: Tab, changes: dict[str, str], status: int, said: str
) -> None:
    await sign_in(tab)
    shown = await change(tab, **changes)
    assert shown.status == status
    assert said in shown.body
    assert 'role="alert"' in shown.body
    assert 'aria-invalid="true"' in shown.body
    assert (await tab.get("/account")).status == 200
    assert await letters(bench) == []
    assert (await sign_in(Tab(tab.address))).status == 303


@pytest.mark.parametrize("page", ["account/password", "password/new"])
async def test_a_password_is_judged_without_being_set(bench: Workbench, tab: Tab, page: str) -> None:
    if page == "account/password":
        await sign_in(tab)
        shown = await tab.get("/account/password")
    else:
        shown = await demand(bench, tab)
    for password, said in (("qwertyuiop", "tried first"), (NEW, 'value="4"')):
        judged = await tab.post(f"/{page}", {**shown.fields, "password": password, "act": "check"})
        assert judged.status == 200
        assert "<meter" in judged.body
        assert said in judged.body
        assert password not in judged.body
    assert await letters(bench) == []


async def test_judging_passwords_is_limited(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    shown = await tab.get("/account/password")
    form = {**shown.fields, "password": "x", "act": "check"}
    statuses = [(await tab.post("/account/password", form)).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]


async def test_guesses_at_the_old_password_are_counted_like_sign_ins(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {login_failures_per_account: 2/hour}")
    await sign_in(tab)
    statuses = [(await change(tab, old="wrong")).status for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert (await change(tab)).status == 429


async def test_of_two_changes_at_once_one_counts(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    shown = await tab.get("/account/password")
    forms = [{**shown.fields, **CHANGE, "password": new, "again": new} for new in (NEW, NEWER)]
    answers = await asyncio.gather(*(tab.post("/account/password", form) for form in forms))
    # The other one meets a changed account, a changed password or an ended session, whichever comes first.
    assert [one.location for one in answers].count("/account/password/done") == 1
    assert len(await letters(bench, MailKind.PASSWORD_CHANGED)) == 1


async def test_nobody_changes_a_password_without_being_signed_in(tab: Tab) -> None:
    assert (await tab.get("/account/password")).location.startswith("/login?ticket=")
    assert (await tab.get("/account/password/done")).location.startswith("/login?ticket=")


async def test_a_demanded_password_is_set_on_the_way_of_the_sign_in(bench: Workbench, tab: Tab) -> None:
    shown = await demand(bench, tab)
    assert shown.status == 200
    assert 'action="/password/new"' in shown.body
    assert (await tab.get("/account")).location.startswith("/login")
    bench.clock.advance(60)
    arrived = await answer(tab, shown)
    assert (arrived.status, arrived.location) == (303, "/account")
    assert (await tab.get("/account")).status == 200
    assert bench.alice.reset_required_at is None
    assert len(await letters(bench, MailKind.PASSWORD_CHANGED)) == 1
    assert (await sign_in(Tab(tab.address), NEW)).location == "/account"


async def test_a_demand_ends_what_was_issued_before(bench: Workbench, tab: Tab) -> None:
    await sign_in(tab)
    issued = await bench.issue()
    await bench.core.accounts.require_reset("alice", actor="tests")
    await bench.follow()
    assert (await tab.get("/account")).location.startswith("/login")
    assert not await bench.active(issued.access)
    assert bench.ended(issued.refresh)
    assert EventKind.USER_RESET_REQUIRED in bench.kinds()


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        pytest.param(PASSWORD, None, "that you have", id="the one to be replaced"),
        pytest.param("password123", None, "tried first", id="common"),
        pytest.param(NEW, NEWER, "not the same", id="mistyped"),
    ],
)
async def test_a_demand_is_not_met_by_a_password_that_does_not_do(
    bench: Workbench, tab: Tab, password: str, again: str | None, said: str
) -> None:
    refused = await answer(tab, await demand(bench, tab), password, again)
    assert refused.status == 422
    assert said in refused.body
    assert (await answer(tab, refused)).location == "/account"


@pytest.mark.parametrize("what", ["ten minutes", "another password", "another demand", "disabled", "other browser"])
async def test_the_old_password_counts_for_it_only_a_while(bench: Workbench, tab: Tab, what: str) -> None:
    shown = await demand(bench, tab)
    accounts = bench.core.accounts
    bench.clock.advance(5)
    if what == "ten minutes":
        bench.clock.advance(600)
    elif what == "another password":
        await accounts.set_password("alice", Secret(NEWER), actor="tests")
    elif what == "another demand":
        await accounts.require_reset("alice", actor="tests")
    elif what == "disabled":
        await accounts.disable("alice", actor="tests")
    else:
        other = Tab(tab.address)
        fields = (await other.get("/login")).fields
        refused = await other.post("/password/new", {**shown.fields, **fields, "ticket": shown.fields["ticket"]})
        assert refused.status == 400
        return
    refused = await answer(tab, shown)
    assert refused.location.startswith("/login?ticket=")
    assert EventKind.USER_PASSWORD_SET not in [event.kind for event in bench.events if event.actor != "tests"]


async def test_a_proof_that_is_no_whole_sign_in_sets_nothing(bench: Workbench, tab: Tab) -> None:
    shown = await demand(bench, tab)
    tickets, browser = page_of(bench).tickets, tab.jar["__Host-authcenter_browser"]
    ticket = tickets.open(shown.fields["ticket"], browser)
    assert ticket.proved is not None
    half = structs.replace(ticket, proved=structs.replace(ticket.proved, acr=""))
    refused = await tab.get(f"/password/new?ticket={tickets.seal(half, browser)}")
    assert refused.location.startswith("/login?ticket=")
    forged = shown.body.replace(shown.fields["ticket"], tickets.seal(half, browser))
    refused = await answer(tab, Shown(200, shown.headers, forged))
    assert refused.location.startswith("/login?ticket=")
    assert bench.alice.reset_required_at is not None


async def test_a_demand_is_met_by_the_link_of_a_mail_too(bench: Workbench, tab: Tab) -> None:
    shown = await demand(bench, tab)
    other = Tab(tab.address)
    fields = (await other.get("/password/forgot")).fields
    await other.post("/password/forgot", {**fields, "email": "alice@example.com"})
    await other.get(await link(bench))
    fields = (await other.get("/password/reset")).fields
    bench.clock.advance(5)
    await other.post("/password/reset", {**fields, "password": NEWER, "again": NEWER})
    assert bench.alice.reset_required_at is None
    assert (await answer(tab, shown)).location.startswith("/login?ticket=")
    assert (await sign_in(tab, NEWER)).location == "/account"


async def test_of_two_answers_to_a_demand_at_once_one_counts(bench: Workbench, tab: Tab) -> None:
    shown = await demand(bench, tab)
    answers = await asyncio.gather(*(answer(tab, shown, new) for new in (NEW, NEWER)))
    assert sorted(one.location.partition("?")[0] for one in answers) == ["/account", "/login"]


async def test_a_demand_leads_on_to_where_the_sign_in_was_going(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.require_reset("alice", actor="tests")
    bench.clock.advance(5)
    shown = await tab.follow(await sign_in(tab, path="/account/password"))
    assert (await answer(tab, shown)).location == "/account/password"
