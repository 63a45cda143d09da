"""Where a person is signed in, by keyboard and mouse: ended there, and made room for here."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, sign_in, sign_in_elsewhere

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


async def test_a_browser_is_signed_out_from_another_one(site: Site, contexts: Contexts) -> None:
    person, here, there = site.somebody(), await contexts.open(), await contexts.open(java_script_enabled=False)
    for page in (there, here):
        await page.goto(f"{site.issuer}/account/sessions")
        await sign_in(page, person)
    await expect_page(here, "Where you are signed in")
    await expect(here.get_by_text("This browser")).to_have_count(1)
    await here.get_by_role("button", name="Sign out there Chrome on Linux").click()
    await expect(here.get_by_role("heading", level=2)).to_have_count(1)
    await there.goto(f"{site.issuer}/account")
    await expect_page(there, "Sign in")


async def test_all_others_are_signed_out_at_once(site: Site, contexts: Contexts) -> None:
    person, here = site.somebody(), await contexts.open()
    await sign_in_elsewhere(here, site.issuer, person, 2)
    await here.goto(f"{site.issuer}/account/sessions")
    await sign_in(here, person)
    await expect(here.get_by_role("heading", level=2)).to_have_count(3)
    await here.get_by_role("button", name="Sign out everywhere else").click()
    await expect(here.get_by_role("heading", level=2)).to_have_count(1)


async def test_a_full_house_is_left_by_ending_one_session(site: Site, contexts: Contexts) -> None:
    person, page = site.somebody(), await contexts.open(java_script_enabled=False)
    await sign_in_elsewhere(page, site.issuer, person, 4)
    await page.goto(site.app.start("house"))
    await sign_in(page, person)
    await expect_page(page, "You are signed in on too many devices")
    await page.get_by_role("button", name="Sign out there").first.click()
    await expect_outcome(page, "welcome")
