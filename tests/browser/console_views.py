"""The pages of the operators' console as operators may meet them, by name, and the way to each."""

import asyncio
from collections.abc import Awaitable, Callable

import pyotp
from playwright.async_api import Locator, Page, expect

from tests.browser.site import Site
from tests.browser.walking import set_up_app, sign_in

_TURNS = 600
_LONG_POLICY = "tokens: {access_ttl: 120, leeway: 5}\nrevocation: {on_outage: closed, max_staleness: 30}\n"


async def enter(page: Page, site: Site, path: str = "/console", name: str = "") -> pyotp.TOTP:
    """Sign in as an operator who has no second factor yet, which is asked for on the way to ``path``."""
    await page.goto(f"{site.issuer}{path}")
    await sign_in(page, name or site.operator())
    app = await set_up_app(page)
    await page.locator("a.button").click()
    await expect(page.locator("nav a[aria-current=page]")).to_be_visible()
    return app


async def reload_until(page: Page, shown: Locator) -> None:
    """What is written behind an answer is there a moment later."""
    for _ in range(_TURNS):
        if await shown.count():
            return
        await asyncio.sleep(0.1)
        await page.reload()
    await expect(shown).to_be_visible()


async def break_a_login(page: Page, site: Site) -> str:
    """As an application that is registered with another redirect URI. The answer is the request's id."""
    await page.goto(site.app.start("shop", redirect_uri=f"{site.app.url}/cb/"))
    return await page.locator("code").inner_text()


def _at(path: str) -> Callable[[Page, Site], Awaitable[None]]:
    async def way(page: Page, site: Site) -> None:
        await enter(page, site, path)

    return way


async def _story(page: Page, site: Site) -> None:
    request_id = await break_a_login(page, site)
    await enter(page, site, f"/console/explain?request={request_id}")
    await reload_until(page, page.locator("[role=alert] strong"))
    await expect(page.get_by_role("heading", level=2)).not_to_have_count(0)


async def _found(page: Page, site: Site) -> None:
    await break_a_login(page, site)
    await enter(page, site, "/console/explain?hours=1&refused=1&client=shop")
    await reload_until(page, page.locator("ul.cards li").first)


async def _user(page: Page, site: Site) -> None:
    person = site.somebody()
    elsewhere = await page.context.new_page()
    await elsewhere.goto(site.app.start("house"))
    await sign_in(elsewhere, person)
    await expect(elsewhere.locator("#outcome")).to_be_visible()
    await page.context.clear_cookies()
    await enter(page, site, f"/console/users?q={person}")
    await page.locator("ul.cards a").first.click()
    await expect(page.locator("button[value=disable]")).to_be_visible()


async def _secret(page: Page, site: Site) -> None:
    await enter(page, site, "/console/clients?id=meter")
    await page.locator("button[value=rotate]").click()
    await expect(page.locator("#secret")).to_be_visible()


async def _blast_radius(page: Page, site: Site) -> None:
    await page.goto(site.app.start("kiosk"))
    await sign_in(page, site.somebody())
    await expect(page.locator("#outcome")).to_be_visible()
    await page.context.clear_cookies()
    await enter(page, site, "/console/revocations?by=client&of=kiosk")
    await expect(page.locator("#tokens")).to_be_visible()


async def _unconfirmed(page: Page, site: Site) -> None:
    await _blast_radius(page, site)
    await page.locator("#reason").fill("lost")
    await page.locator("#confirm").fill("something else")
    await page.locator("button.danger").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _policy(page: Page, site: Site, document: str = _LONG_POLICY) -> None:
    await enter(page, site, "/console/policy")
    await page.locator("#document").fill(document)
    await page.locator("form[action='/console/policy/compare'] button").click()
    await expect(page.locator("pre").or_(page.get_by_role("alert")).first).to_be_visible()


async def _wrong_policy(page: Page, site: Site) -> None:
    await _policy(page, site, "tokens: {acess_ttl: 1}\nfetsch: {}")
    await expect(page.get_by_role("alert")).to_be_visible()


async def _audit(page: Page, site: Site) -> None:
    await enter(page, site, "/console/audit")
    await reload_until(page, page.locator("ul.cards li").first)


async def _audit_row(page: Page, site: Site) -> None:
    await _audit(page, site)
    await page.locator("ul.cards a").first.click()
    await expect(page.locator("pre")).to_be_visible()


async def _no_operator(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/console")
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("alert")).to_be_visible()


VIEWS: dict[str, Callable[[Page, Site], Awaitable[None]]] = {
    "console": _at("/console"),
    "console-clients": _at("/console/clients"),
    "console-client": _at("/console/clients?id=long"),
    "console-client-secret": _secret,
    "console-users": _at("/console/users?q=person-1"),
    "console-user": _user,
    "console-keys": _at("/console/keys"),
    "console-policy": _policy,
    "console-policy-wrong": _wrong_policy,
    "console-revocations": _at("/console/revocations"),
    "console-blast-radius": _blast_radius,
    "console-unconfirmed": _unconfirmed,
    "console-audit": _audit,
    "console-audit-row": _audit_row,
    "console-explain": _found,
    "console-story": _story,
    "console-no-operator": _no_operator,
}
