"""The pages of second factors as people may meet them, by name, and the way to each."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser.site import LONG_NAME, Site
from tests.browser.walking import set_up_app, sign_in


async def _second_factors(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account/second-factors")
    await sign_in(page, site.somebody())
    await expect(page.locator("button[value=begin]")).to_be_visible()


async def _setting_up(page: Page, site: Site) -> None:
    await _second_factors(page, site)
    await page.locator("button[value=begin]").click()
    await expect(page.locator("img.qr")).to_be_visible()


async def _wrong_first_code(page: Page, site: Site) -> None:
    await _setting_up(page, site)
    await page.locator("#code").fill("12345")
    await page.locator("button[value=confirm]").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _recovery_codes(page: Page, site: Site) -> None:
    await _second_factors(page, site)
    await set_up_app(page)


async def _second_factors_in_use(page: Page, site: Site) -> None:
    await _recovery_codes(page, site)
    await page.locator("a.button").click()
    await expect(page.locator("button[value=remove]")).to_be_visible()


async def _second_step(page: Page, site: Site) -> None:
    person = site.somebody()
    await page.goto(f"{site.issuer}/account/second-factors")
    await sign_in(page, person)
    await set_up_app(page)
    await page.goto(site.app.start("shop", prompt="login"))
    await sign_in(page, person)
    await expect(page.locator("#code")).to_be_visible()


async def _wrong_code(page: Page, site: Site) -> None:
    await _second_step(page, site)
    await page.locator("#code").fill("12345")
    await page.locator("button[value=code]").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _wrong_recovery_code(page: Page, site: Site) -> None:
    await _second_step(page, site)
    await page.locator("summary").click()
    await page.locator("#recovery").fill("00000-0000")
    await page.locator("button[value=recovery]").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _second_factor_asked_for(page: Page, site: Site) -> None:
    await page.goto(site.app.start("long", acr_values="urn:authcenter:acr:2fa"))
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("status")).to_contain_text(LONG_NAME)


VIEWS: dict[str, Callable[[Page, Site], Awaitable[None]]] = {
    "second-factors": _second_factors,
    "second-factors-asked": _second_factor_asked_for,
    "second-factors-setup": _setting_up,
    "second-factors-setup-wrong": _wrong_first_code,
    "second-factors-codes": _recovery_codes,
    "second-factors-in-use": _second_factors_in_use,
    "second-step": _second_step,
    "second-step-wrong": _wrong_code,
    "second-step-wrong-recovery": _wrong_recovery_code,
}
