"""People open accounts on the way to an application, with scripts and without."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.sign_up_mail import sign_up_link
from tests.browser.site import Site
from tests.browser.walking import ask_for_link, expect_outcome, expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

STRONG = "kettle bracket violin"


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("client", ["shop", "house"], ids=["asks for consent", "leads on at once"])
async def test_signing_up_leads_to_the_application(site: Site, contexts: Contexts, client: str, scripted: bool) -> None:
    page, address = await contexts.open(java_script_enabled=scripted), site.new_address()
    name = address.partition("@")[0]
    await page.goto(site.app.start(client))
    await page.get_by_role("link", name="Create an account").click()
    await expect_page(page, "Create an account")
    await ask_for_link(page, address)
    await expect_page(page, "Look into your mail")

    await page.goto(await sign_up_link(site, address))
    await expect_page(page, "Choose a name and a password")
    await expect(page).to_have_url(re.compile("/signup/verify$"))
    await page.locator("#username").fill(name)
    await page.locator("#password").fill("sunshine")
    await press(page, "How strong is it?")
    await expect(page.get_by_role("meter")).to_have_attribute("value", "0")
    await expect(page.locator("#username")).to_have_value(name)
    await expect(page.locator("#password")).to_have_value("")
    await sign_in(page, name, STRONG)
    if client == "shop":
        await press(page, "Allow")
    welcome = await expect_outcome(page, "welcome usr_")

    await page.context.clear_cookies()
    await page.goto(site.app.start(client))
    await sign_in(page, address, STRONG)
    assert await expect_outcome(page, "welcome usr_") == welcome
