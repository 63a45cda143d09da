"""The pages of a person's own account: profile, download, deletion."""

from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.browser.walking import sign_in


async def _section(page: Page, site: Site, name: str) -> None:
    await page.goto(f"{site.issuer}/account/{name}")
    await sign_in(page, site.somebody())
    await expect(page.locator("form")).to_be_visible()


async def _profile(page: Page, site: Site) -> None:
    await _section(page, site, "profile")


async def _saved_profile(page: Page, site: Site) -> None:
    await _section(page, site, "profile")
    await page.locator("#name").fill("Donaudampfschifffahrtsgesellschaftskapitän Äöü")
    await page.locator("#street_address").fill("Main Street 1\nTop floor")
    await page.locator("#country").fill("Österreich")
    await page.locator("form button").click()
    await expect(page.get_by_role("status")).to_be_visible()


async def _wrong_profile(page: Page, site: Site) -> None:
    await _section(page, site, "profile")
    wrong = {"birthdate": "yesterday", "phone_number": "call me", "locale": "German, please", "zoneinfo": "my place"}
    for name, text in wrong.items():
        await page.locator(f"#{name}").fill(text)
    await page.locator("form button").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _download(page: Page, site: Site) -> None:
    await _section(page, site, "download")


async def _delete(page: Page, site: Site) -> None:
    await _section(page, site, "delete")


async def _wrong_name(page: Page, site: Site) -> None:
    await _section(page, site, "delete")
    await page.locator("#confirm").fill("somebody else")
    await page.locator("form button").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _deleted(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account/deleted")


VIEWS = {
    "account-profile": _profile,
    "account-profile-saved": _saved_profile,
    "account-profile-wrong": _wrong_profile,
    "account-download": _download,
    "account-delete": _delete,
    "account-delete-wrong": _wrong_name,
    "account-deleted": _deleted,
}
