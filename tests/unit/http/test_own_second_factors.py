"""Adding and taking away second factors."""

import html
import re
from base64 import b64decode
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from authcenter.accounts.second_step import OTP_METHODS
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.event import EventKind
from authcenter.core.mail import MailKind
from authcenter.core.rules import Rule
from authcenter.core.second_factor import Factor
from tests.authenticator import Authenticator, enrol
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.test_second_factor import (
    first_step,
    letters,
    password,
    rules_logged,
    second,
    sessions,
    tab,
)
from tests.workbench import PASSWORD, Workbench

__all__ = ["tab"]
PAGE = "/account/second-factors"


async def opened(browser: Tab) -> Shown:
    """The page, after signing in by the password."""
    await password(browser)
    return await browser.get(PAGE)


async def act(browser: Tab, shown: Shown, name: str, **more: str) -> Shown:
    return await browser.post(PAGE, {**shown.fields, "act": name, **more})


async def begun(bench: Workbench, browser: Tab) -> tuple[Shown, Authenticator]:
    shown = await act(browser, await opened(browser), "begin")
    assert shown.location == f"{PAGE}?setup=1"
    enrolment = await bench.core.second_factors.begun(bench.alice)
    assert enrolment is not None
    return await browser.follow(shown), Authenticator(bench, enrolment.secret)


async def signed_in_by_two(bench: Workbench, browser: Tab) -> tuple[Shown, Authenticator]:
    app = await enrol(bench)
    bench.events.clear()
    await second(browser, await first_step(browser), app.code())
    return await browser.get(PAGE), app


def codes_on(shown: Shown) -> list[str]:
    return re.findall(r"<li><code>([^<]+)</code></li>", shown.body)


async def test_the_page_says_that_there_is_none(tab: Tab) -> None:
    shown = await opened(tab)
    assert shown.status == 200
    assert 'value="begin"' in shown.body
    assert 'value="remove"' not in shown.body
    assert 'value="renew"' not in shown.body


async def test_the_account_page_leads_here(tab: Tab) -> None:
    await password(tab)
    assert f'href="{PAGE}"' in (await tab.get("/account")).body


async def test_an_app_is_set_up_by_a_code_of_it(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    [before] = sessions(bench)
    assert before.acr == ACR_ONE_FACTOR
    done = await act(tab, page, "confirm", code=app.code())
    assert done.status == 200
    codes = codes_on(done)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code) for code in codes)
    assert EventKind.SECOND_FACTOR_ADDED in bench.kinds()
    assert [letter.kind for letter in letters(bench)] == [MailKind.SECOND_FACTOR_ADDED]
    [session] = sessions(bench)
    assert (session.acr, session.amr) == (ACR_TWO_FACTORS, ("pwd", *OTP_METHODS))
    assert session.auth_time == before.auth_time
    page = await tab.get(PAGE)
    assert page.status == 200
    assert "Codes that you can still use: 10" in page.body
    assert codes[0] not in page.body


async def test_the_code_that_turned_it_on_signs_nobody_in(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    await act(tab, page, "confirm", code=app.code())
    other = Tab(tab.address)
    assert (await second(other, await first_step(other), app.code())).status == 401
    assert (await second(other, await first_step(other), app.code(1))).location == "/account"


async def test_the_page_shows_the_key_as_image_link_and_text(bench: Workbench, tab: Tab) -> None:
    bench.offer("brand: {name: 'Wald: & Wiese'}")
    page, app = await begun(bench, tab)
    uri = urlsplit(html.unescape(re.findall(r'href="(otpauth:[^"]+)"', page.body)[0]))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Wald  & Wiese:alice")
    assert parse_qs(uri.query) == {"secret": [app.secret], "issuer": ["Wald  & Wiese"]}
    image = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page.body)[0]
    assert b64decode(image).startswith(b"<svg ")
    typed = re.findall(r'<code id="secret">([^<]+)</code>', page.body)[0]
    assert typed.replace(" ", "") == app.secret
    assert "data:" in page.headers["Content-Security-Policy"]


async def test_the_secret_at_rest_is_not_the_secret(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    codes = codes_on(await act(tab, page, "confirm", code=app.code()))
    kept = repr(bench.record.tables.totp_secrets) + repr(bench.record.tables.recovery_codes)
    said = repr(bench.events) + repr(bench.log.calls) + bench.lines.getvalue()
    for secret in (app.secret, *codes, codes[0].replace("-", "")):
        assert secret not in kept
        assert secret not in said


async def test_before_the_first_code_nothing_has_changed(bench: Workbench, tab: Tab) -> None:
    await begun(bench, tab)
    assert await bench.core.second_factors.kinds(bench.alice) == frozenset()
    other = Tab(tab.address)
    assert (await password(other)).location == "/account"


async def test_a_wrong_code_shows_the_same_key_again(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    again = await act(tab, page, "confirm", code=app.wrong_code())
    assert again.status == 401
    assert app.secret[:4] in again.body
    assert 'role="alert"' in again.body
    assert f'"rule":"{Rule.SECOND_FACTOR_WRONG}"' in rules_logged(bench)
    assert codes_on(await act(tab, again, "confirm", code=app.code()))


async def test_wrong_codes_are_limited_here_too(bench: Workbench, tab: Tab) -> None:
    bench.offer("rate_limits: {login_failures_per_account: 2/hour, login_failures_per_ip: 1000/hour}")
    page, app = await begun(bench, tab)
    for _ in range(2):
        await act(tab, page, "confirm", code=app.wrong_code())
    limited = await act(tab, page, "confirm", code=app.code())
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0


async def test_what_was_begun_lasts_an_hour(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    bench.clock.advance(3600)
    await password(tab)
    assert (await tab.get(f"{PAGE}?setup=1")).location == PAGE
    assert (await act(tab, page, "confirm", code=app.code())).location == PAGE
    assert await bench.core.second_factors.kinds(bench.alice) == frozenset()


async def test_an_app_in_use_is_not_replaced(bench: Workbench, tab: Tab) -> None:
    shown, app = await signed_in_by_two(bench, tab)
    assert (await act(tab, shown, "begin")).location == PAGE
    assert (await act(tab, shown, "confirm", code=app.code(1))).location == PAGE
    assert await bench.core.second_factors.begun(bench.alice) is None


async def test_it_is_taken_away_with_its_codes(bench: Workbench, tab: Tab) -> None:
    shown, _ = await signed_in_by_two(bench, tab)
    assert (await act(tab, shown, "remove")).location == PAGE
    assert EventKind.SECOND_FACTOR_REMOVED in bench.kinds()
    assert letters(bench)[-1].kind is MailKind.SECOND_FACTOR_REMOVED
    assert bench.record.tables.recovery_codes == {}
    other = Tab(tab.address)
    assert (await password(other)).location == "/account"
    bench.events.clear()
    assert (await act(tab, shown, "remove")).location == PAGE
    assert bench.events == []


async def test_new_recovery_codes_end_the_old_ones(bench: Workbench, tab: Tab) -> None:
    shown, app = await signed_in_by_two(bench, tab)
    codes = codes_on(await act(tab, shown, "renew"))
    assert len(codes) == 10
    assert EventKind.RECOVERY_CODES_RENEWED in bench.kinds()
    told = letters(bench)[-1]
    assert (told.kind, told.to) == (MailKind.RECOVERY_CODES_RENEWED, "alice@example.com")
    assert told.values == {"username": "alice"}
    other = Tab(tab.address)
    page = await first_step(other)
    assert (await second(other, page, app.recovery_codes[0], "recovery")).status == 401
    assert (await second(other, page, codes[0], "recovery")).location == "/account"


async def test_without_a_factor_there_are_no_recovery_codes(bench: Workbench, tab: Tab) -> None:
    shown = await opened(tab)
    assert (await act(tab, shown, "renew")).location == PAGE
    assert letters(bench) == []
    assert bench.record.tables.recovery_codes == {}


@pytest.mark.parametrize("name", ["begin", "confirm", "renew", "remove"])
async def test_a_sign_in_of_long_ago_is_not_enough(bench: Workbench, tab: Tab, name: str) -> None:
    shown, app = await signed_in_by_two(bench, tab)
    bench.clock.advance(301)
    bench.events.clear()
    assert (await tab.get(PAGE)).location.startswith("/login?ticket=")
    answer = await act(tab, shown, name, code=app.code())
    assert answer.location.startswith("/login?ticket=")
    assert bench.events == []
    page = await tab.follow(answer)
    page = await tab.follow(await tab.post("/login", {**page.fields, "username": "alice", "password": PASSWORD}))
    assert (await second(tab, page, app.code())).location == PAGE


@pytest.mark.parametrize("name", ["begin", "confirm", "renew", "remove"])
async def test_a_session_older_than_the_factor_proves_it_first(bench: Workbench, tab: Tab, name: str) -> None:
    shown = await opened(tab)
    app = await enrol(bench)
    bench.events.clear()
    answer = await act(tab, shown, name)
    assert answer.location.startswith("/login/second-factor?ticket=")
    assert bench.events == []
    assert await bench.core.second_factors.kinds(bench.alice) == {Factor.TOTP}
    assert (await second(tab, await tab.follow(answer), app.code())).location == PAGE
    assert (await tab.get(PAGE)).status == 200


async def test_who_is_not_signed_in_signs_in_and_comes_back(tab: Tab) -> None:
    page = await tab.follow(await tab.get(PAGE))
    shown = await tab.post("/login", {**page.fields, "username": "alice", "password": PASSWORD})
    assert shown.location == PAGE


async def test_the_mail_is_in_the_language_of_the_page(bench: Workbench, tab: Tab) -> None:
    page, app = await begun(bench, tab)
    await tab.post(PAGE, {**page.fields, "act": "confirm", "code": app.code()}, Accept_Language="de")
    assert letters(bench)[-1].language == "de"


async def test_a_session_that_ended_meanwhile_does_not_keep_the_codes_from_being_shown(
    bench: Workbench, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, app = await begun(bench, tab)
    confirm = bench.stores.totp.confirm

    async def confirm_as_it_ends(*values: object) -> bool:
        done: bool = await confirm(*values)
        await bench.stores.sessions.end(sessions(bench)[0].session_id, bench.clock.now(), NO_CONSEQUENCES)
        return done

    monkeypatch.setattr(bench.stores.totp, "confirm", confirm_as_it_ends, raising=False)
    assert len(codes_on(await act(tab, page, "confirm", code=app.code()))) == 10
