"""What a person does on the pages."""

import time

import pyotp
from playwright.async_api import Locator, Page, expect

from tests.browser.site import PASSWORD


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form that is shown, and send it by the Enter key."""
    await page.locator("#username").fill(name)
    await page.locator("#password").fill(password)
    async with page.expect_navigation():
        await page.locator("#password").press("Enter")


async def set_up_app(page: Page) -> pyotp.TOTP:
    """On the page of second factors: add an app, up to its recovery codes. The answer is the app."""
    await page.locator("button[value=begin]").click()
    app = pyotp.TOTP((await page.locator("#secret").inner_text()).replace(" ", ""))
    await type_code(page, app, "confirm", page.locator("ul.recovery"))
    await expect(page.locator("ul.recovery li")).to_have_count(10)
    return app


async def type_code(page: Page, app: pyotp.TOTP, button: str, then: Locator, steps_ahead: int = 0) -> None:
    """A code of the app; a second one where the machine was so slow that the first had lapsed."""
    for _ in range(2):
        await page.locator("#code").fill(app.at(int(time.time()) + steps_ahead * app.interval))
        await page.locator(f"button[value={button}]").click()
        await expect(then.or_(page.get_by_role("alert"))).to_be_visible()
        if await then.is_visible():
            return
    await expect(then).to_be_visible()


async def ask_for_link(page: Page, address: str) -> None:
    """Sign up: give an address."""
    await page.locator("#email").fill(address)
    async with page.expect_navigation():
        await page.locator("#email").press("Enter")


async def press(page: Page, button: str) -> None:
    await page.get_by_role("button", name=button, exact=True).click()


async def expect_outcome(page: Page, begins: str) -> str:
    """Back at the application, which says so."""
    outcome = page.locator("#outcome")
    await expect(outcome).to_contain_text(begins)
    return await outcome.inner_text()


async def expect_page(page: Page, heading: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    await page.wait_for_load_state()


async def sign_in_elsewhere(page: Page, issuer: str, name: str, times: int) -> None:
    """The person signs in in so many other browsers, and leaves them."""
    browser = page.context.browser
    assert browser is not None
    for _ in range(times):
        context = await browser.new_context(ignore_https_errors=True)
        elsewhere = await context.new_page()
        await elsewhere.goto(f"{issuer}/login")
        await sign_in(elsewhere, name)
        await expect(elsewhere.get_by_role("heading", level=1)).to_be_visible()
        await context.close()
