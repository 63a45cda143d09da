"""Signing in in two steps."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from authcenter.accounts.second_step import OTP_METHODS
from authcenter.accounts.sessions import ACR_TWO_FACTORS
from authcenter.core.errors import Unavailable
from authcenter.core.event import EventKind
from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.session import Session
from authcenter.http.server import Listener
from tests.authenticator import Authenticator, enrol
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD, Workbench, refused, settings

PAGE = "/login/second-factor"
SESSION = "__Host-authcenter_session"


@pytest.fixture
async def tab(bench: Workbench) -> AsyncIterator[Tab]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


@pytest.fixture
async def app(bench: Workbench) -> Authenticator:
    made = await enrol(bench)
    bench.events.clear()
    return made


async def password(tab: Tab, path: str = "/login") -> Shown:
    shown = await tab.follow(await tab.get(path))
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD})


async def second(tab: Tab, shown: Shown, code: str, act: str = "code") -> Shown:
    return await tab.post(PAGE, {**shown.fields, "code": code, "act": act})


async def first_step(tab: Tab) -> Shown:
    """The page that asks for the second."""
    asked = await password(tab)
    assert asked.location.startswith(PAGE)
    assert SESSION not in tab.jar
    return await tab.follow(asked)


def sessions(bench: Workbench) -> list[Session]:
    return [session for session, _ in bench.record.tables.sessions.values()]


def letters(bench: Workbench) -> list[Letter]:
    jobs = [row.job for row in bench.record.tables.outbox.values() if row.job.name is JobName.MAIL]
    opened = [bench.core.letters.open(job.payload) for job in jobs]
    return [letter for letter in opened if letter is not None]


def rules_logged(bench: Workbench) -> str:
    bench.request_log.flush()
    return bench.lines.getvalue().splitlines()[-1]


async def test_without_a_second_factor_the_password_is_enough(tab: Tab) -> None:
    assert (await password(tab)).location == "/account"


async def test_a_password_and_a_code_sign_in(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    shown = await first_step(tab)
    assert shown.status == 200
    assert 'autocomplete="one-time-code"' in shown.body
    assert bench.events == []
    assert bench.counted("login_total", outcome="success") == 0, "half a sign-in"
    assert (await second(tab, shown, app.code())).location == "/account"
    assert bench.counted("login_total", outcome="success") == 1
    [session] = sessions(bench)
    assert (session.acr, session.amr) == (ACR_TWO_FACTORS, ("pwd", *OTP_METHODS))
    assert (await tab.get("/account")).status == 200


@pytest.mark.parametrize("steps_off", [-1, 1])
async def test_a_clock_may_be_one_step_off(tab: Tab, app: Authenticator, steps_off: int) -> None:
    assert (await second(tab, await first_step(tab), app.code(steps_off))).location == "/account"


@pytest.mark.parametrize("typed", ["{0} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"], ids=["blank behind", "in groups"])
async def test_a_code_is_read_as_apps_show_it(tab: Tab, app: Authenticator, typed: str) -> None:
    assert (await second(tab, await first_step(tab), typed.format(app.code()))).location == "/account"


async def test_a_code_counts_once_and_so_does_none_older(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    used, older = app.code(), app.code(-1)
    assert (await second(tab, await first_step(tab), used)).location == "/account"
    tab.jar.pop(SESSION)
    shown = await first_step(tab)
    for code in (used, older):
        again = await second(tab, shown, code)
        assert again.status == 401
        assert "already" in again.body
        assert f'"rule":"{Rule.SECOND_FACTOR_REPLAYED}"' in rules_logged(bench)
    assert (await second(tab, again, app.code(1))).location == "/account"


async def test_of_many_browsers_with_one_code_one_gets_in(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    tabs = [Tab(tab.address) for _ in range(6)]
    pages = [await first_step(one) for one in tabs]
    answers = await asyncio.gather(*(second(one, page, app.code()) for one, page in zip(tabs, pages, strict=True)))
    assert sorted(answer.status for answer in answers) == [303] + [401] * 5
    assert len(sessions(bench)) == 1


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\uff11" * 6, "9" * 5000], ids=lambda typed: typed[:8] or "empty"
)
async def test_what_is_no_code_is_refused(bench: Workbench, tab: Tab, app: Authenticator, typed: str) -> None:
    answer = await second(tab, await first_step(tab), typed)
    assert answer.status == 401
    assert 'role="alert"' in answer.body
    assert typed[:100] not in answer.body or not typed
    assert sessions(bench) == []


@pytest.mark.parametrize("steps_off", [-2, 2])
async def test_a_code_of_another_time_is_refused(
    bench: Workbench, tab: Tab, app: Authenticator, steps_off: int
) -> None:
    near = {app.code(step) for step in (-1, 0, 1)}
    while app.code(steps_off) in near:
        bench.clock.advance(30)
        near = {app.code(step) for step in (-1, 0, 1)}
    assert (await second(tab, await first_step(tab), app.code(steps_off))).status == 401
    assert f'"rule":"{Rule.SECOND_FACTOR_WRONG}"' in rules_logged(bench)


async def test_wrong_codes_are_limited_by_account_whatever_the_browser(
    bench: Workbench, tab: Tab, app: Authenticator
) -> None:
    bench.offer("rate_limits: {login_failures_per_account: 3/hour, login_failures_per_ip: 1000/hour}")
    for _ in range(3):
        assert (await second(tab, await first_step(tab), app.wrong_code())).status == 401
    limited = await second(tab, await first_step(tab), app.code())
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0
    assert sessions(bench) == []
    recovery = await second(tab, limited, app.recovery_codes[0], "recovery")
    assert recovery.status == 429, "the other way does not lead round the limit"
    bench.clock.advance(1300)
    assert (await second(tab, await first_step(tab), app.code())).location == "/account"


async def test_a_recovery_code_signs_in_once_and_its_owner_hears_of_it(
    bench: Workbench, tab: Tab, app: Authenticator
) -> None:
    code = app.recovery_codes[3]
    shown = await first_step(tab)
    assert (await second(tab, shown, f" {code.upper().replace('-', ' ')}", "recovery")).location == "/account"
    assert EventKind.RECOVERY_CODE_SPENT in bench.kinds()
    letter = letters(bench)[-1]
    assert (letter.kind, letter.to) == (MailKind.RECOVERY_CODE_USED, "alice@example.com")
    assert letter.values == {"username": "alice", "left": "9"}
    assert sessions(bench)[0].acr == ACR_TWO_FACTORS
    tab.jar.pop(SESSION)
    again = await second(tab, await first_step(tab), code, "recovery")
    assert again.status == 401
    assert f'"rule":"{Rule.RECOVERY_CODE_WRONG}"' in rules_logged(bench)


@pytest.mark.parametrize("typed", ["", "x", "00000-00000", "ü" * 10, "0" * 5000])
async def test_what_is_no_recovery_code_is_refused(bench: Workbench, tab: Tab, app: Authenticator, typed: str) -> None:
    answer = await second(tab, await first_step(tab), typed, "recovery")
    assert answer.status == 401
    assert "<details open>" in answer.body
    assert sessions(bench) == []


async def test_the_password_is_forgotten_after_ten_minutes(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    shown = await first_step(tab)
    bench.clock.advance(601)
    answer = await second(tab, shown, app.code())
    assert answer.location.startswith("/login?again=1&ticket=")
    assert f'"rule":"{Rule.SECOND_FACTOR_STALE}"' in rules_logged(bench)
    page = await tab.follow(answer)
    assert "Sign in again" in page.body
    assert page.status == 200
    asked = await tab.post("/login", {**page.fields, "username": "alice", "password": PASSWORD})
    assert (await second(tab, await tab.follow(asked), app.code())).location == "/account"


async def disable(bench: Workbench) -> None:
    await bench.core.accounts.disable("alice", actor="tests")


async def new_password(bench: Workbench) -> None:
    bench.clock.advance(2)
    await bench.core.accounts.set_password("alice", Secret("another long pass phrase"), actor="tests")
    bench.clock.advance(2)


@pytest.mark.parametrize("happens", [disable, new_password])
async def test_what_happens_to_the_account_between_the_steps_counts(
    bench: Workbench, tab: Tab, app: Authenticator, happens: object
) -> None:
    shown = await first_step(tab)
    await happens(bench)  # type: ignore[operator]
    answer = await second(tab, shown, app.code())
    assert answer.location.startswith("/login?again=1&ticket=")
    assert sessions(bench) == []


async def test_a_password_proved_in_the_second_of_its_change_holds(
    bench: Workbench, tab: Tab, app: Authenticator
) -> None:
    await bench.core.accounts.set_password("alice", Secret(PASSWORD), actor="tests")
    assert bench.alice.cut_at is not None
    assert bench.alice.cut_at.timestamp() >= bench.clock.seconds()
    assert (await tab.follow(await password(tab))).status == 200


async def test_factors_taken_away_between_the_steps_send_back(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    shown = await first_step(tab)
    assert await bench.core.second_factors.reset(bench.alice, "en", actor="tests")
    answer = await second(tab, shown, app.code())
    assert answer.status in {303, 401}
    assert sessions(bench) == []
    assert (await password(tab)).location == "/account"


async def test_a_proof_is_for_the_browser_that_made_it(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    shown = await first_step(tab)
    thief = Tab(tab.address)
    csrf = (await thief.get("/login")).fields["csrf"]
    answer = await thief.post(PAGE, {"csrf": csrf, "ticket": shown.fields["ticket"], "code": app.code(), "act": "code"})
    assert answer.status == 400
    assert sessions(bench) == []


async def test_without_a_ticket_or_a_first_proof_there_is_nothing_here(tab: Tab) -> None:
    assert (await tab.get(PAGE)).status == 400
    ticket = (await tab.get("/login")).fields["ticket"]
    assert (await tab.get(f"{PAGE}?ticket={ticket}")).location.startswith("/login?again=1")


async def test_the_proof_is_gone_once_it_was_used(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    """The ticket that goes on carries none."""
    await bench.client("shop", grants=frozenset({"authorization_code"}), redirect_uris=("https://shop.example/cb",))
    asked = (
        "/oauth/authorize?client_id=shop&response_type=code&code_challenge=" + "c" * 43 + "&code_challenge_method=S256"
    )
    answer = await password(tab, asked)
    answer = await second(tab, await tab.follow(answer), app.code())
    assert answer.location.startswith("/oauth/authorize?ticket=")
    ticket = parse_qs(urlsplit(answer.location).query)["ticket"][0]
    tab.jar.pop(SESSION)
    assert (await tab.get(f"{PAGE}?ticket={ticket}")).location.startswith("/login?again=1")


async def test_cancelling_tells_the_client(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    await bench.client("shop", grants=frozenset({"authorization_code"}), redirect_uris=("https://shop.example/cb",))
    asked = (
        "/oauth/authorize?client_id=shop&response_type=code&code_challenge=" + "c" * 43 + "&code_challenge_method=S256"
    )
    shown = await tab.follow(await password(tab, asked))
    answer = await tab.follow(await second(tab, shown, "", "cancel"))
    assert answer.location.startswith("https://shop.example/cb?error=access_denied")


async def test_nobody_gets_in_while_factors_cannot_be_read(bench: Workbench, tab: Tab, app: Authenticator) -> None:
    shown = await tab.follow(await tab.get("/login"))
    bench.board.down = True
    answer = await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD})
    assert answer.status == 503
    with pytest.raises(Unavailable):
        await bench.core.second_factors.due(bench.alice)


async def test_the_password_grant_cannot_ask_and_refuses(bench: Workbench, app: Authenticator) -> None:
    with refused(Rule.USER_SECOND_FACTOR_DUE):
        await bench.issue()
    assert bench.counted("login_total", outcome=Rule.USER_SECOND_FACTOR_DUE) == 1


async def test_the_password_grant_takes_both_at_once(bench: Workbench, app: Authenticator) -> None:
    code = app.code()
    claims = (await bench.issue(otp=code)).claims
    assert (claims["acr"], claims["amr"]) == (ACR_TWO_FACTORS, ["pwd", *OTP_METHODS])
    with refused(Rule.SECOND_FACTOR_REPLAYED):
        await bench.issue(otp=code)
    assert (await bench.issue(recovery_code=app.recovery_codes[0])).claims["acr"] == ACR_TWO_FACTORS
    with refused(Rule.RECOVERY_CODE_WRONG):
        await bench.issue(recovery_code=app.recovery_codes[0])


async def test_a_code_does_not_make_up_for_a_wrong_password(bench: Workbench, app: Authenticator) -> None:
    with refused(Rule.USER_PASSWORD_WRONG):
        await bench.issue(password="wrong", otp=app.code())
    assert (await bench.issue(otp=app.code())).claims["acr"] == ACR_TWO_FACTORS, "nor is it spent by one"


async def test_the_password_grant_is_limited_as_the_page_is(bench: Workbench, app: Authenticator) -> None:
    bench.offer("rate_limits: {login_failures_per_account: 2/hour, login_failures_per_ip: 1000/hour}")
    for _ in range(2):
        with refused(Rule.SECOND_FACTOR_WRONG):
            await bench.issue(otp=app.wrong_code())
    with refused(Rule.RATE_LIMITED_ACCOUNT):
        await bench.issue(otp=app.code())


async def test_tokens_of_the_password_grant_tell_of_one_factor(bench: Workbench) -> None:
    claims = (await bench.issue()).claims
    assert (claims["amr"], claims["acr"]) == (["pwd"], "urn:authcenter:acr:1fa")


def roots(*numbers: int) -> str:
    return ",".join(urlsafe_b64encode(bytes([number]) * 32).decode() for number in numbers)


async def test_a_secret_moves_to_the_newest_root_when_it_is_used(bench: Workbench) -> None:
    bench.settings = settings(SECRET_KEY=roots(1))
    bench.core = bench.another_core()
    app = await enrol(bench)
    bench.settings = settings(SECRET_KEY=roots(2, 1))
    await bench.another_core().second_factors.prove(bench.alice, app.code())
    bench.clock.advance(60)
    bench.settings = settings(SECRET_KEY=roots(2))
    await bench.another_core().second_factors.prove(bench.alice, app.code())


async def test_who_has_a_secret_whose_root_is_gone_is_not_let_in_without(bench: Workbench) -> None:
    app = await enrol(bench)
    bench.settings = settings(SECRET_KEY=roots(2))
    factors = bench.another_core().second_factors
    with refused(Rule.SECOND_FACTOR_WRONG):
        await factors.prove(bench.alice, app.code())
    assert await factors.due(bench.alice), "nobody gets in without it"


async def test_a_demanded_new_password_comes_after_the_second_factor(
    bench: Workbench, tab: Tab, app: Authenticator, waits: list[float]
) -> None:
    await bench.core.accounts.require_reset("alice", actor="tests")
    bench.clock.advance(5)
    shown = await first_step(tab)
    too_early = await tab.get(f"/password/new?ticket={shown.fields['ticket']}")
    assert too_early.location.startswith("/login?"), "one factor changes no password"
    answer = await second(tab, shown, app.code())
    assert answer.location.startswith("/password/new?ticket=")
    assert sessions(bench) == []
    page = await tab.follow(answer)
    new = "seven green umbrellas"
    answer = await tab.post("/password/new", {**page.fields, "password": new, "again": new})
    assert answer.location == "/account"
    [session] = sessions(bench)
    assert (session.acr, session.amr) == (ACR_TWO_FACTORS, ("pwd", *OTP_METHODS))
    assert (await tab.get("/account")).status == 200


async def test_a_new_password_of_ones_own_asks_for_the_second_factor_again(
    bench: Workbench, tab: Tab, app: Authenticator, waits: list[float]
) -> None:
    await second(tab, await first_step(tab), app.code())
    page = await tab.get("/account/password")
    new = "seven green umbrellas"
    bench.clock.advance(60)
    answer = await tab.post("/account/password", {**page.fields, "old": PASSWORD, "password": new, "again": new})
    assert answer.location.startswith(PAGE)
    answer = await second(tab, await tab.follow(answer), app.code())
    assert answer.location.startswith("/account/password")
    assert (await tab.get("/account")).status == 200
