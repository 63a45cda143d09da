"""Where a person is signed in: shown, ended, and what happens where it is in too many places."""

import re
from collections.abc import AsyncIterator, Callable

import pytest

from authcenter.accounts.sessions import ACR_ONE_FACTOR
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.derived import SealingKeys
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD, Workbench

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SESSION, BROWSER = "__Host-authcenter_session", "__Host-authcenter_browser"
TWO = "sessions: {max_per_user: 2, when_full: reject}"


@pytest.fixture
async def opens(bench: Workbench) -> AsyncIterator[Callable[[], Tab]]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield lambda: Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def sign_in(tab: Tab, path: str = "/login", name: str = "alice", **headers: str) -> Shown:
    shown = await tab.follow(await tab.get(path))
    form = {**shown.fields, "username": name, "password": PASSWORD}
    return await tab.post("/login", form, **{"User_Agent": FIREFOX, **headers})


async def signed_in(opens: Callable[[], Tab], bench: Workbench, count: int) -> list[Tab]:
    tabs = [opens() for _ in range(count)]
    for tab in tabs:
        bench.clock.advance(60)
        assert (await sign_in(tab)).location == "/account"
    return tabs


def ends(shown: Shown) -> list[str]:
    """What its buttons end."""
    return re.findall(r'name="end" value="([^"]+)"', shown.body)


async def is_in(tab: Tab) -> bool:
    return (await tab.get("/account")).status == 200


async def test_sessions_are_shown_in_words_and_this_one_is_marked(opens: Callable[[], Tab], bench: Workbench) -> None:
    tab, other = await signed_in(opens, bench, 2)
    bench.clock.advance(3 * 3600)
    shown = await tab.get("/account/sessions")
    assert shown.status == 200
    assert shown.body.count("Firefox on Linux") == 2
    assert shown.body.count("This browser") == 1
    assert shown.body.index("This browser") < shown.body.index("3 hours ago")
    assert "just now" in shown.body
    assert "address 127.0.0.1" in shown.body
    assert len(ends(shown)) == 2, "one there, all others"
    assert '"/account/sessions"' in (await tab.get("/account")).body
    german = await other.get("/account/sessions", Accept_Language="de")
    assert "Firefox auf Linux" in german.body


async def test_one_is_ended_and_the_others_go_on(opens: Callable[[], Tab], bench: Workbench) -> None:
    tab, second, third = await signed_in(opens, bench, 3)
    shown = await tab.get("/account/sessions")
    theirs = ends(shown)[0]
    answer = await tab.post("/account/sessions", {**shown.fields, "end": theirs})
    assert (answer.status, answer.location) == (303, "/account/sessions")
    assert [await is_in(one) for one in (tab, second, third)] == [True, True, False]
    assert bench.events[-1].kind == "session.ended"
    assert bench.events[-1].context["reason"] == "ended by its owner"


async def test_all_others_are_ended_at_once(opens: Callable[[], Tab], bench: Workbench) -> None:
    tab, *others = await signed_in(opens, bench, 4)
    shown = await tab.get("/account/sessions")
    await tab.post("/account/sessions", {**shown.fields, "end": "others"})
    assert [await is_in(one) for one in (tab, *others)] == [True, False, False, False]
    assert ends(await tab.get("/account/sessions")) == []


@pytest.mark.parametrize("end", ["", "unknown", "\x1f", "x" * 5000], ids=["none", "unknown", "odd", "long"])
async def test_what_is_no_session_of_theirs_ends_nothing(opens: Callable[[], Tab], bench: Workbench, end: str) -> None:
    (tab,) = await signed_in(opens, bench, 1)
    shown = await tab.get("/account")
    assert (await tab.post("/account/sessions", {**shown.fields, "end": end})).status == 303
    assert await is_in(tab)


async def test_nobody_ends_somebody_elses(opens: Callable[[], Tab], bench: Workbench) -> None:
    (tab,) = await signed_in(opens, bench, 1)
    await bench.add_user("bob")
    mallory = opens()
    await sign_in(mallory, name="bob")
    shown = await mallory.get("/account/sessions")
    (theirs,) = await bench.stores.sessions.list_of(bench.alice.subject)
    assert theirs.session_id not in shown.body
    form = (await mallory.get("/account")).fields
    assert (await mallory.post("/account/sessions", {**form, "end": theirs.session_id})).status == 303
    assert await is_in(tab)


async def test_the_oldest_gives_way(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer("sessions: {max_per_user: 2}")
    tabs = await signed_in(opens, bench, 3)
    assert [await is_in(tab) for tab in tabs] == [False, True, True]


async def test_who_signs_in_again_in_one_browser_ends_nothing(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    tab, other = await signed_in(opens, bench, 2)
    bench.clock.advance(5)
    assert (await sign_in(tab)).location == "/account"
    assert await is_in(tab)
    assert await is_in(other)


async def test_a_full_house_asks_which_session_gives_way_and_goes_on(
    opens: Callable[[], Tab], bench: Workbench
) -> None:
    bench.offer(TWO)
    first, second = await signed_in(opens, bench, 2)
    tab = opens()
    refused = await sign_in(tab, "/account/sessions")
    assert bench.counted("login_total", outcome="success") == 2
    assert refused.location.startswith("/login/sessions?ticket=")
    assert SESSION not in tab.jar
    shown = await tab.follow(refused)
    assert (shown.status, len(ends(shown))) == (200, 2)
    assert "alice, to sign in here" in shown.body
    ended = (await bench.stores.sessions.list_of(bench.alice.subject))[-1].session_id
    arrived = await tab.post("/login/sessions", {**shown.fields, "end": ended})
    assert arrived.location == "/account/sessions", "where the sign-in was to lead"
    assert bench.counted("login_total", outcome="success") == 3
    assert [await is_in(one) for one in (first, second, tab)] == [False, True, True]


async def test_without_ending_one_there_is_no_way_in(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    shown = await tab.follow(await sign_in(tab))
    again = await tab.post("/login/sessions", shown.fields)
    assert again.location.startswith("/login/sessions?ticket=")
    assert SESSION not in tab.jar
    bench.request_log.flush()
    assert f'"rule":"{Rule.SESSIONS_FULL}"' in bench.lines.getvalue().splitlines()[-1]


async def test_the_proof_lapses_soon(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    shown = await tab.follow(await sign_in(tab))
    bench.clock.advance(301)
    late = await tab.post("/login/sessions", {**shown.fields, "end": ends(shown)[0]})
    assert late.location.startswith("/login?ticket=")
    assert SESSION not in tab.jar
    assert len(await bench.stores.sessions.list_of(bench.alice.subject)) == 2


async def test_showing_it_again_makes_it_no_younger(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    shown = await tab.follow(await sign_in(tab))
    for _ in range(3):
        bench.clock.advance(120)
        again = await tab.post("/login/sessions", shown.fields)
        shown = await tab.follow(again) if "/login/sessions" in again.location else shown
    assert again.location.startswith("/login?ticket=")


async def test_a_proof_opens_one_session(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    elsewhere, _ = await signed_in(opens, bench, 2)
    tab = opens()
    shown = await tab.follow(await sign_in(tab))
    newest, oldest = ends(shown)
    assert (await tab.post("/login/sessions", {**shown.fields, "end": newest})).location == "/account"
    page = await elsewhere.get("/account/sessions")
    await elsewhere.post("/account/sessions", {**page.fields, "end": "others"})
    assert not await is_in(tab)
    again = await tab.post("/login/sessions", {**shown.fields, "end": oldest})
    assert again.location.startswith("/login?ticket=")
    assert not await is_in(tab)
    assert await is_in(elsewhere), "nor does it end any"


async def test_signing_out_leaves_no_proof_behind(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    location = (await sign_in(tab)).location
    shown = await tab.follow(await tab.get(location))
    await tab.post("/login/sessions", {**shown.fields, "end": ends(shown)[0]})
    signed_out = await tab.get("/oauth/logout")
    await tab.post("/oauth/logout", signed_out.fields)
    assert (tab.jar[SESSION], tab.jar[BROWSER]) == ("", "")
    seen = await tab.get(location)
    assert seen.status == 400
    assert "alice" not in seen.body


async def test_one_factor_of_two_opens_nothing(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    await tab.get("/login")
    tickets = Tickets(SealingKeys.derive(bench.settings.secret_keys, "unfinished sign-in"), bench.clock)
    for acr, status in ((ACR_ONE_FACTOR, 200), (None, 400)):
        proved = Proved(bench.alice.subject, ("pwd",), bench.clock.seconds(), acr)
        sealed = tickets.seal(Ticket("account", tickets.lapse(), proved=proved), tab.jar[BROWSER])
        assert (await tab.get(f"/login/sessions?ticket={sealed}")).status == status


@pytest.mark.parametrize("act", ["disable", "logout"])
async def test_the_proof_of_who_was_cut_off_since_does_not_count(
    opens: Callable[[], Tab], bench: Workbench, act: str
) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab = opens()
    shown = await tab.follow(await sign_in(tab))
    bench.clock.advance(1)
    await getattr(bench.core.accounts, act)("alice", actor="tests")
    answer = await tab.post("/login/sessions", shown.fields)
    assert answer.location.startswith("/login?ticket=")
    assert SESSION not in tab.jar


async def test_a_ticket_without_a_proof_opens_nothing(opens: Callable[[], Tab], bench: Workbench) -> None:
    await signed_in(opens, bench, 1)
    tab = opens()
    ticket = (await tab.follow(await tab.get("/account"))).fields["ticket"]
    shown = await tab.get(f"/login/sessions?ticket={ticket}")
    assert shown.status == 400
    assert "alice" not in shown.body


async def test_a_proof_is_worth_nothing_in_another_browser(opens: Callable[[], Tab], bench: Workbench) -> None:
    bench.offer(TWO)
    await signed_in(opens, bench, 2)
    tab, thief = opens(), opens()
    location = (await sign_in(tab)).location
    await thief.get("/login")
    assert (await thief.get(location)).status == 400
