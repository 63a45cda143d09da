"""People add a second factor and sign in by it, with scripts and without."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, press, set_up_app, sign_in, type_code

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_an_app_is_added_and_asked_for_and_taken_away(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await contexts.open(java_script_enabled=scripted)
    await page.goto(f"{site.issuer}/account")
    await sign_in(page, person)
    await page.get_by_role("link", name="Second factors").click()
    await expect_page(page, "Second factors")
    app = await set_up_app(page)
    code = await page.locator("ul.recovery li").nth(4).inner_text()
    await page.get_by_role("link", name="I have saved them").click()
    await expect_page(page, "Second factors")

    elsewhere = await contexts.open(java_script_enabled=scripted)
    await elsewhere.goto(site.app.start("house"))
    await sign_in(elsewhere, person)
    await expect_page(elsewhere, "Second step")
    # The step of the code that turned it on is spent.
    await type_code(elsewhere, app, "code", elsewhere.locator("#outcome"), steps_ahead=1)
    await expect_outcome(elsewhere, "welcome usr_")

    by_recovery = await contexts.open(java_script_enabled=scripted)
    await by_recovery.goto(site.app.start("house"))
    await sign_in(by_recovery, person)
    await by_recovery.locator("summary").click()
    await by_recovery.locator("#recovery").fill(code)
    await press(by_recovery, "Use recovery code")
    await expect_outcome(by_recovery, "welcome usr_")
    await by_recovery.goto(f"{site.issuer}/account/second-factors")
    await expect(by_recovery.get_by_text("Codes that you can still use: 9")).to_be_visible()

    await press(page, "Remove the authenticator app")
    await expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    fresh = await contexts.open(java_script_enabled=scripted)
    await fresh.goto(site.app.start("house"))
    await sign_in(fresh, person)
    await expect_outcome(fresh, "welcome usr_")


async def test_an_application_asks_for_a_second_factor(site: Site, contexts: Contexts, scripted: bool) -> None:
    page = await contexts.open(java_script_enabled=scripted)
    await page.goto(site.app.start("house", acr_values="urn:authcenter:acr:2fa"))
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("status")).to_contain_text("The House asks for a sign-in with a second factor")
    await set_up_app(page)
    await page.get_by_role("link", name="I have saved them").click()
    await expect_outcome(page, "welcome usr_")


async def test_cancelling_the_second_step_is_told_to_the_application(
    site: Site, contexts: Contexts, scripted: bool
) -> None:
    person = site.somebody()
    page = await contexts.open(java_script_enabled=scripted)
    await page.goto(f"{site.issuer}/account/second-factors")
    await sign_in(page, person)
    await set_up_app(page)
    await page.goto(site.app.start("house", prompt="login"))
    await sign_in(page, person)
    await expect_page(page, "Second step")
    await expect(page).to_have_title(re.compile("^Second step . Example & Co$"))
    await press(page, "Cancel")
    await expect_outcome(page, "error access_denied")
