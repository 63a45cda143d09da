"""What a person does on the pages."""

from playwright.async_api import Page, expect

from tests.browser.site import PASSWORD


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form that is shown, and send it by the Enter key."""
    await page.locator("#username").fill(name)
    await page.locator("#password").fill(password)
    async with page.expect_navigation():
        await page.locator("#password").press("Enter")


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
