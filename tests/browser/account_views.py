"""The pages by which people change a password or an address, as they may meet them."""

from playwright.async_api import Page, expect

from authcenter.core.mail import MailKind
from tests.browser.mailbox import link, operate
from tests.browser.site import PASSWORD, Site
from tests.browser.walking import sign_in

NEW = "seven green umbrellas"


async def submit(page: Page, **fields: str) -> None:
    """Fill in the form of this page, and send it."""
    for name, value in fields.items():
        await page.locator(f"#{name}").fill(value)
    async with page.expect_navigation():
        await page.locator("form button[type=submit]").first.press("Enter")


async def signed_in_on(page: Page, site: Site, path: str) -> str:
    """Somebody new, signed in, on a page under ``/account``."""
    name = site.somebody()
    await page.goto(f"{site.issuer}{path}")
    await sign_in(page, name)
    return name


async def forgot(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/password/forgot")


async def forgot_wrong(page: Page, site: Site) -> None:
    await forgot(page, site)
    # Browsers let it pass; no account can have it.
    await submit(page, email="some..body@example.com")
    await expect(page.get_by_role("alert")).to_be_visible()


async def forgot_sent(page: Page, site: Site) -> str:
    name = site.somebody()
    await forgot(page, site)
    await submit(page, email=f"{name}@example.com")
    await expect(page.get_by_role("status")).to_be_visible()
    return name


async def sent(page: Page, site: Site) -> None:
    await forgot_sent(page, site)


async def reset(page: Page, site: Site) -> None:
    name = await forgot_sent(page, site)
    await page.goto(await link(site, f"{name}@example.com", MailKind.RESET_PASSWORD))
    await expect(page.locator("#password")).to_be_visible()


async def reset_weak(page: Page, site: Site) -> None:
    await reset(page, site)
    await submit(page, password="qwertz123", again="qwertz123")
    await expect(page.get_by_role("alert")).to_be_visible()


async def reset_mistyped(page: Page, site: Site) -> None:
    await reset(page, site)
    await submit(page, password=NEW, again="seven green umbrella")
    await expect(page.get_by_role("alert")).to_be_visible()


async def reset_done(page: Page, site: Site) -> None:
    await reset(page, site)
    await submit(page, password=NEW, again=NEW)
    await expect(page.get_by_role("status")).to_be_visible()


async def reset_gone(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/password/reset")
    await expect(page.get_by_role("alert")).to_be_visible()


async def demanded(page: Page, site: Site) -> None:
    name = site.somebody()
    await operate(site, lambda core: core.accounts.require_reset(name, actor="tests"))
    await page.goto(f"{site.issuer}/login")
    await sign_in(page, name)
    await expect(page.locator("#again")).to_be_visible()


async def demanded_same(page: Page, site: Site) -> None:
    await demanded(page, site)
    await submit(page, password=PASSWORD, again=PASSWORD)
    await expect(page.get_by_role("alert")).to_be_visible()


async def password(page: Page, site: Site) -> None:
    await signed_in_on(page, site, "/account/password")
    await expect(page.locator("#old")).to_be_visible()


async def password_wrong(page: Page, site: Site) -> None:
    await password(page, site)
    await submit(page, old="not theirs", password=NEW, again=NEW)
    await expect(page.get_by_role("alert")).to_be_visible()


async def password_judged(page: Page, site: Site) -> None:
    await password(page, site)
    await page.locator("#password").fill(NEW)
    async with page.expect_navigation():
        await page.locator("button[value=check]").click()
    await expect(page.locator("meter")).to_be_visible()


async def password_changed(page: Page, site: Site) -> None:
    await password(page, site)
    await submit(page, old=PASSWORD, password=NEW, again=NEW)
    await expect(page.get_by_role("status")).to_be_visible()


async def address(page: Page, site: Site) -> None:
    await signed_in_on(page, site, "/account/address")
    await expect(page.locator("#email")).to_be_visible()


async def address_wrong(page: Page, site: Site) -> None:
    await address(page, site)
    await submit(page, email="some..body@example.com")
    await expect(page.get_by_role("alert")).to_be_visible()


async def address_confirm(page: Page, site: Site) -> str:
    name = await signed_in_on(page, site, "/account/address")
    await submit(page, email=f"{name}@new.example")
    await expect(page.get_by_role("status")).to_be_visible()
    await page.goto(await link(site, f"{name}@new.example", MailKind.CONFIRM_NEW_ADDRESS))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    return name


async def confirm(page: Page, site: Site) -> None:
    await address_confirm(page, site)


async def address_gone(page: Page, site: Site) -> None:
    await signed_in_on(page, site, "/account/address/confirm")
    await expect(page.get_by_role("alert")).to_be_visible()


VIEWS = {
    "forgot": forgot,
    "forgot-wrong": forgot_wrong,
    "forgot-sent": sent,
    "reset": reset,
    "reset-weak": reset_weak,
    "reset-mistyped": reset_mistyped,
    "reset-done": reset_done,
    "reset-gone": reset_gone,
    "demanded": demanded,
    "demanded-same": demanded_same,
    "password": password,
    "password-wrong": password_wrong,
    "password-judged": password_judged,
    "password-changed": password_changed,
    "address": address,
    "address-wrong": address_wrong,
    "address-confirm": confirm,
    "address-gone": address_gone,
}
