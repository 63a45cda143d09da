"""Other sites against the pages, in a real browser: frames, forms, planted cookies, and the whole way over TLS."""

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

_TRIES = 150
_SESSION, _BROWSER = "__Host-authcenter_session", "__Host-authcenter_browser"
_DEVICE = "__Host-authcenter_device"


async def cookies(page: Page, site: Site) -> dict[str, Any]:
    return {cookie["name"]: cookie for cookie in await page.context.cookies(site.issuer)}


async def expect_to_lead(page: Page, address: str, heading: str) -> None:
    """Sooner or later."""
    for _ in range(_TRIES):
        await page.goto(address)
        if await page.locator("h1").inner_text() == heading:
            return
        await page.wait_for_timeout(200)
    pytest.fail(f"{address} never led to {heading!r}")


async def test_the_whole_way_over_tls_to_another_origin(secure_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    await page.goto(secure_site.app.start("shop", prompt="consent"))
    await sign_in(page, secure_site.somebody())
    await expect_page(page, "The Shop asks for access")
    assert await page.locator("img.client").evaluate("image => image.naturalWidth > 0"), "its logo is let in"
    await press(page, "Allow")
    await expect_outcome(page, "welcome usr_")
    # Committed is enough: the page's script goes on before it is loaded.
    await page.goto(secure_site.app.start("house", response_mode="form_post"), wait_until="commit")
    await expect_outcome(page, "welcome usr_")
    assert [text for text in refused if "Content Security Policy" in text or "Refused" in text] == []

    found = await cookies(page, secure_site)
    assert found.keys() == {_SESSION, _BROWSER, _DEVICE}
    for cookie in found.values():
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    assert await page.evaluate("document.cookie") == ""


async def test_a_planted_session_cookie_is_replaced_at_sign_in(secure_site: Site, contexts: Contexts) -> None:
    planted = "p" * 43
    page, person = await contexts.open(), secure_site.somebody()
    await page.context.add_cookies(
        [{"name": _SESSION, "value": planted, "url": secure_site.issuer, "secure": True, "httpOnly": True}]
    )
    await page.goto(f"{secure_site.issuer}/account")
    await sign_in(page, person)
    await expect_page(page, "Your account")
    first = (await cookies(page, secure_site))[_SESSION]["value"]
    assert first != planted
    # Signed in again: whoever has read the first one has nothing.
    await page.goto(secure_site.app.start("house", prompt="login"))
    await sign_in(page, person)
    await expect_outcome(page, "welcome")
    second = (await cookies(page, secure_site))[_SESSION]["value"]
    assert second not in {planted, first}
    for dead in (planted, first):
        thief = await contexts.open()
        await thief.context.add_cookies([{"name": _SESSION, "value": dead, "url": secure_site.issuer, "secure": True}])
        # Caches of other processes, and this one's, hear of it within two seconds.
        await expect_to_lead(thief, f"{secure_site.issuer}/account", "Sign in")


async def test_no_page_lets_itself_be_framed(site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    await page.goto(site.app.start("house"))
    await sign_in(page, site.somebody())
    await expect_outcome(page, "welcome")
    for path in (
        *("/login", "/account", "/consent", "/oauth/authorize?client_id=nobody", "/nowhere"),
        *("/device", f"/device?user_code={await site.user_code()}", "/oauth/logout", "/oauth/logout?id_token_hint=x"),
    ):
        site.app.frames = f"{site.issuer}{path}"
        await page.goto(f"{site.app.url}/frame")
        await page.frames[-1].wait_for_url(re.compile("^chrome-error:"), wait_until="commit")


async def test_a_form_of_another_site_does_nothing(site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    await page.goto(site.app.start("shop", prompt="consent"))
    await sign_in(page, site.somebody())
    csrf = await page.locator("form input[name=csrf]").input_value()
    ticket = await page.locator("form input[name=ticket]").input_value()
    # The worst case: the attacker has even read the token, and only the browser can tell.
    told = len(site.app.answers)
    for path, values in (
        ("/consent", {"ticket": ticket, "answer": "allow"}),
        ("/login", {"username": "alice", "password": "correct horse battery"}),
        ("/account", {"withdraw": "shop"}),
        ("/device", {"user_code": await site.user_code()}),
        ("/oauth/logout", {"answer": "logout"}),
    ):
        site.app.form = (f"{site.issuer}{path}", {"csrf": csrf, **values})
        await page.goto(f"{site.app.url}/form")
        await page.get_by_role("button", name="Win").click()
        await expect(page.get_by_role("alert")).to_have_text("Another website sent this form. Nothing was done.")
    assert len(site.app.answers) == told
    await page.goto(f"{site.issuer}/account")
    await expect_page(page, "Your account")


async def test_an_authorization_request_by_a_form_of_another_site_is_served(site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    await page.goto(site.app.start("house"))
    await sign_in(page, site.somebody())
    welcome = await expect_outcome(page, "welcome")
    address, _, query = site.app.start("garden").partition("?")
    site.app.form = (address, dict(parse_qsl(query)))
    await page.goto(f"{site.app.url}/form")
    await page.get_by_role("button", name="Win").click()
    assert await expect_outcome(page, "welcome") == welcome


async def test_a_sign_in_page_that_somebody_forwards_is_of_no_use(site: Site, contexts: Contexts) -> None:
    page, victim = await contexts.open(), await contexts.open()
    await page.goto(site.app.start("house"))
    await expect_page(page, "Sign in")
    await victim.goto(page.url)
    await expect(victim.get_by_role("alert")).to_contain_text("not valid in this browser")


@pytest.mark.parametrize("where", ["login_hint", "state", "client_id", "redirect_uri", "ui_locales", "unknown"])
async def test_what_a_stranger_puts_into_a_request_never_becomes_markup(
    site: Site, contexts: Contexts, where: str
) -> None:
    page = await contexts.open(bypass_csp=True)  # so that only the escaping is left to help
    ran: list[str] = []
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    payload = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
    await page.goto(site.app.start("house", **{"response_mode": "form_post", where: payload}))
    await page.wait_for_load_state("load")
    if await page.locator("#username").count():
        expected = payload if where == "login_hint" else ""
        await expect(page.locator("#username")).to_have_value(expected)
        await sign_in(page, site.somebody(), f"wrong{payload}")
        await expect(page.get_by_role("alert")).to_be_visible()
        await sign_in(page, site.somebody())
        await expect(page.locator("#outcome")).to_be_visible()
    assert ran == []
    assert await page.locator("img[src=x]").count() == 0
