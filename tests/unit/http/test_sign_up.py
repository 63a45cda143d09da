"""Signing up by the pages: an address, a link in a mail, a name and a password, and in."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from authcenter.core.mail import MailKind
from authcenter.core.user import name_key
from authcenter.http.server import Listener
from authcenter.wiring.sign_up import sign_up_links
from authcenter.workers.errands import Pointless
from authcenter.workers.sign_up_links import SignUpErrand
from tests.unit.http.browsing import Tab
from tests.unit.http.mailbox import letters
from tests.unit.http.signing_up import ON, STRONG, ask, choose, follow_link
from tests.workbench import Workbench

SESSION = "__Host-authcenter_session"


@pytest.fixture
async def address(bench: Workbench) -> AsyncIterator[str]:
    bench.offer(ON)
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.runner.cleanup()


@pytest.fixture
def tab(address: str) -> Tab:
    return Tab(address)


def names(bench: Workbench) -> list[str]:
    return sorted(held.user.username for held in bench.record.tables.users.values())


async def test_an_address_then_a_name_and_a_password_make_an_account_and_sign_in(bench: Workbench, tab: Tab) -> None:
    sent = await ask(tab, " Jo@Example.com ")
    assert (sent.status, sent.location) == (303, "/signup/sent")
    assert "on its way" in (await tab.follow(sent)).body
    (letter,) = await letters(bench)
    assert (letter.kind, letter.to, letter.language) == (MailKind.CONFIRM_ADDRESS, "Jo@Example.com", "en")
    assert bench.events == [], "nothing has changed for anybody"

    followed = await tab.get(letter.values["link"])
    assert (followed.status, followed.location) == (303, "/signup/verify"), "the token leaves the address bar"
    form = await tab.follow(followed)
    assert "Jo@Example.com" in form.body
    done = await choose(tab, form, "  Jo ")
    assert (done.status, done.location) == (303, "/account")
    assert "Signed in as Jo (Jo@Example.com)" in (await tab.follow(done)).body

    made, started = bench.events
    assert (made.kind, made.actor, made.context["signed_up"]) == ("user.created", made.subject, True)
    assert (started.kind, started.context["amr"]) == ("session.started", ["pwd"])
    user = bench.record.tables.users[made.subject].user
    assert (user.username, user.email_verified, user.roles) == ("Jo", True, frozenset())


async def test_an_address_with_an_account_gets_the_same_answer_and_another_letter(bench: Workbench, tab: Tab) -> None:
    known, unknown = await ask(tab, "ALICE@example.com"), await ask(tab, "nobody@example.com")
    ours = ("Date", "X-Request-ID")
    assert {name: value for name, value in known.headers.items() if name not in ours} == {
        name: value for name, value in unknown.headers.items() if name not in ours
    }
    assert (known.status, known.body) == (unknown.status, unknown.body)
    told, asked = await letters(bench)
    assert (told.kind, told.to) == (MailKind.ADDRESS_HAS_ACCOUNT, "alice@example.com"), "the stored one"
    assert "token" not in str(told.values)
    assert asked.kind is MailKind.CONFIRM_ADDRESS


async def test_who_asks_is_answered_before_anybody_has_looked(bench: Workbench, tab: Tab) -> None:
    """What takes the time does not depend on the address: it is the same work, down to the size of what is written."""
    done = []
    for typed in ("alice@example.com", "other@example.com"):
        shown = await tab.get("/signup")
        bench.board.asked.clear()
        await tab.post("/signup", {**shown.fields, "email": typed})
        job = [*bench.record.tables.outbox.values()][-1].job
        done.append((list(bench.board.asked), job.name, len(str(job.payload))))
    assert done[0] == done[1]
    assert done[0][0] == ["outbox.add"]


async def test_a_job_that_is_done_twice_is_one_mail(bench: Workbench, tab: Tab) -> None:
    for typed in ("alice@example.com", "other@example.com"):
        await ask(tab, typed)
    jobs = [row.job for row in bench.record.tables.outbox.values()]
    assert len(await letters(bench)) == 2
    for job in jobs:
        with pytest.raises(Pointless):
            await SignUpErrand(sign_up_links(bench.core)).act(job.payload)
    assert len(await letters(bench)) == 2


@pytest.mark.parametrize(
    "typed", ["", "jo", "jo@", "@example.com", "a b@example.com", "a@b@c", "x" * 65_000, "jo@exa\u0301\u200bmple.com"]
)
async def test_what_is_no_address_is_said_at_once(bench: Workbench, tab: Tab, typed: str) -> None:
    shown = await ask(tab, typed[:20_000])
    assert shown.status == 422
    assert 'role="alert"' in shown.body
    assert await letters(bench) == []


async def test_the_letter_goes_to_the_mailbox_that_is_compared(bench: Workbench, tab: Tab) -> None:
    await ask(tab, "\uff4ao@example.com")
    assert (await letters(bench))[0].to == "jo@example.com"


async def test_the_letter_is_in_the_readers_language(bench: Workbench, tab: Tab) -> None:
    await ask(tab, "jo@example.com", Accept_Language="de-AT")
    assert (await letters(bench))[0].language == "de"


async def test_a_link_is_worth_one_account(bench: Workbench, tab: Tab, address: str) -> None:
    form = await follow_link(tab, bench)
    link = (await letters(bench))[-1].values["link"]
    assert (await choose(tab, form)).status == 303
    again = Tab(address)
    shown = await again.follow(await again.get(link))
    assert (shown.status, "no longer valid" in shown.body) == (400, True)
    csrf = (await again.get("/login")).fields["csrf"]
    assert (await choose(again, shown, "max", csrf=csrf)).status == 400
    assert names(bench) == ["alice", "jo"]


async def test_looking_at_the_link_spends_nothing(bench: Workbench, tab: Tab, address: str) -> None:
    await ask(tab, "jo@example.com")
    scanner, link = Tab(address), (await letters(bench))[0].values["link"]
    for _ in range(3):
        assert (await scanner.follow(await scanner.get(link))).status == 200
    assert (await choose(tab, await tab.follow(await tab.get(link)))).status == 303


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 43, "A" * 42 + "B", "<script>"], ids=lambda token: token[:8] or "none"
)
async def test_another_token_opens_nothing(tab: Tab, token: str) -> None:
    shown = await tab.follow(await tab.get(f"/signup/verify?token={token}"))
    assert (shown.status, "no longer valid" in shown.body) == (400, True)
    assert "<script>" not in shown.body


async def test_a_link_lapses_as_the_policy_says(bench: Workbench, tab: Tab) -> None:
    bench.offer("accounts: {signup: true, verify_ttl: 600}")
    form = await follow_link(tab, bench)
    bench.clock.advance(599)
    assert "password" in (await tab.get("/signup/verify")).body
    bench.clock.advance(1)
    late = await choose(tab, form)
    assert (late.status, "no longer valid" in late.body) == (400, True)
    assert names(bench) == ["alice"]


async def test_two_who_use_one_link_at_once_get_one_account(bench: Workbench, tab: Tab, address: str) -> None:
    first, other = await follow_link(tab, bench), Tab(address)
    second = await other.follow(await other.get((await letters(bench))[-1].values["link"]))
    answers = await asyncio.gather(choose(tab, first, "jo"), choose(other, second, "max"))
    assert sorted(answer.status for answer in answers) == [303, 400]
    assert len(names(bench)) == 2


async def test_two_who_choose_one_name_at_once_are_told_apart(bench: Workbench, tab: Tab, address: str) -> None:
    other = Tab(address)
    first = await follow_link(tab, bench, "jo@example.com")
    second = await follow_link(other, bench, "max@example.com")
    answers = await asyncio.gather(choose(tab, first, "Jo"), choose(other, second, "jO"))
    assert sorted(answer.status for answer in answers) == [303, 409]
    late, shown = (tab, answers[0]) if answers[0].status == 409 else (other, answers[1])
    assert "Somebody else has this user name" in shown.body
    assert (await choose(late, shown, "another")).status == 303, "the link still holds"
    assert len({name_key(name) for name in names(bench)}) == 3


async def test_an_address_that_got_an_account_gets_no_second(bench: Workbench, tab: Tab, address: str) -> None:
    other = Tab(address)
    first, second = await follow_link(tab, bench), await follow_link(other, bench)
    assert (await choose(tab, first, "jo")).status == 303
    late = await choose(other, second, "max")
    assert (late.status, "no longer valid" in late.body) == (400, True)


@pytest.mark.parametrize(
    ("username", "password", "status", "says"),
    [
        pytest.param("", STRONG, 422, "cannot be used", id="no name"),
        pytest.param("x" * 256, STRONG, 422, "cannot be used", id="a long name"),
        pytest.param("jo\u202emax", STRONG, 422, "cannot be used", id="a name that turns round"),
        pytest.param("max@example.com", STRONG, 422, "cannot be used", id="another's address"),
        pytest.param("usr_jo", STRONG, 422, "cannot be used", id="a subject"),
        pytest.param("ALICE", STRONG, 409, "Somebody else", id="taken, in other case"),
        pytest.param("\uff41lice", STRONG, 409, "Somebody else", id="taken, in other characters"),
        pytest.param("jo", "xkqzvbn", 422, "too short", id="a short password"),
        pytest.param("jo", "password", 422, "tried first", id="a common one"),
        pytest.param("quimby", "quimby2024", 422, "your name", id="one about the person"),
        pytest.param("jo", "x" * 1025, 422, "too long", id="a long one"),
    ],
)
async def test_what_does_not_do_is_said_and_the_link_still_holds(
    bench: Workbench, tab: Tab, username: str, password: str, status: int, says: str
) -> None:
    shown = await choose(tab, await follow_link(tab, bench), username, password)
    assert shown.status == status
    assert says in shown.body
    assert shown.body.count('role="alert"') == 1
    assert f'value="{password}"' not in shown.body
    assert SESSION not in tab.jar
    assert (await choose(tab, shown, "jo")).status == 303


async def test_how_strong_a_password_is_can_be_asked_without_script(bench: Workbench, tab: Tab) -> None:
    form = await follow_link(tab, bench)
    shown = await choose(tab, form, "quimby", "quimby violin", act="check")
    assert shown.status == 200
    assert "<meter" in shown.body
    assert 'value="quimby"' in shown.body
    assert "quimby violin" not in shown.body
    assert names(bench) == ["alice"]


async def test_passwords_are_not_judged_without_end(bench: Workbench, tab: Tab) -> None:
    form = await follow_link(tab, bench)
    statuses = [(await choose(tab, form, "n" * 30_000, "short", act="check")).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]


async def test_one_address_may_ask_so_often(bench: Workbench, tab: Tab) -> None:
    bench.offer("accounts: {signup: true}\nrate_limits: {signup_per_ip: 3/hour}")
    answers = [await ask(tab, f"jo{n}@example.com") for n in range(4)]
    assert [answer.status for answer in answers] == [303, 303, 303, 429]
    assert int(answers[-1].headers["Retry-After"]) == 1200
    assert "Wait 20 min" in answers[-1].body
    assert len(await letters(bench)) == 3


async def test_a_mailbox_is_not_filled_and_nobody_is_told(bench: Workbench, tab: Tab) -> None:
    bench.offer("accounts: {signup: true}\nrate_limits: {mail_per_address: 2/hour}")
    for typed in ("alice@example.com", "nobody@example.com"):
        assert [(await ask(tab, typed)).status for _ in range(3)] == [303] * 3
    told = sorted(letter.to for letter in await letters(bench))
    assert told == ["alice@example.com"] * 2 + ["nobody@example.com"] * 2


async def test_names_cannot_be_tried_through_with_one_link(bench: Workbench, tab: Tab) -> None:
    form = await follow_link(tab, bench)
    statuses = [(await choose(tab, form, "alice")).status for _ in range(21)]
    assert statuses == [409] * 20 + [429]


@pytest.mark.parametrize("path", ["/signup", "/signup/sent", "/signup/verify"])
async def test_while_the_policy_says_no_there_is_no_such_page(bench: Workbench, tab: Tab, path: str) -> None:
    form = await follow_link(tab, bench)
    assert "/signup" in (await tab.get("/login")).body
    bench.offer("{}")
    shown = await tab.get(path)
    assert (shown.status, "by themselves" in shown.body) == (404, True)
    assert "/signup" not in (await tab.get("/login")).body
    assert (await choose(tab, form)).status == 404
    assert names(bench) == ["alice"]


async def test_a_sign_up_on_the_way_to_an_application_leads_there(bench: Workbench, tab: Tab) -> None:
    ticket = (await tab.get("/login")).fields["ticket"]
    shown = await tab.get(f"/signup?ticket={ticket}")
    assert "ticket" in shown.fields
    await tab.post("/signup", {**shown.fields, "email": "jo@example.com"})
    assert tab.jar["__Host-authcenter_signup_ticket"]
    form = await tab.follow(await tab.get((await letters(bench))[-1].values["link"]))
    assert (await choose(tab, form)).location == "/account"
    assert tab.jar["__Host-authcenter_signup_ticket"] == tab.jar["__Host-authcenter_signup_link"] == ""


async def test_while_the_record_is_gone_nothing_is_promised(bench: Workbench, tab: Tab) -> None:
    shown = await tab.get("/signup")
    bench.board.down = True
    answer = await tab.post("/signup", {**shown.fields, "email": "jo@example.com"})
    assert answer.status == 503
    bench.board.down = False
    assert await letters(bench) == []
