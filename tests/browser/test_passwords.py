"""People change passwords and addresses: in a browser, by the links of their mails."""

import pytest
from playwright.async_api import expect

from authcenter.core.mail import MailKind
from tests.browser import account_views
from tests.browser.account_views import NEW, submit
from tests.browser.conftest import Contexts
from tests.browser.mailbox import link, operate
from tests.browser.site import PASSWORD, Site
from tests.browser.walking import expect_page, press, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_forgotten_password_is_set_in_another_browser_without_scripts(site: Site, contexts: Contexts) -> None:
    page, other = await contexts.open(java_script_enabled=False), await contexts.open(java_script_enabled=False)
    await page.goto(f"{site.issuer}/login")
    await page.get_by_role("link", name="Forgot your password?").click()
    name = site.somebody()
    await submit(page, email=f"{name}@example.com")
    await expect_page(page, "Look into your mailbox")
    path = await link(site, f"{name}@example.com", MailKind.RESET_PASSWORD)
    await other.goto(path)
    assert other.url == f"{site.issuer}/password/reset", "the token is neither in the address bar nor in the history"
    await submit(other, password=NEW, again=NEW)
    await expect_page(other, "Your password is set")
    await other.get_by_role("link", name="Sign in").click()
    await sign_in(other, name, PASSWORD)
    await expect(other.get_by_role("alert")).to_be_visible()
    await sign_in(other, name, NEW)
    await expect_page(other, "Your account")
    await page.goto(path)
    await expect_page(page, "This link is not valid")


async def test_a_changed_password_leaves_this_browser_signed_in_and_no_other(site: Site, contexts: Contexts) -> None:
    page, other = await contexts.open(), await contexts.open()
    name = await account_views.signed_in_on(page, site, "/account")
    await other.goto(f"{site.issuer}/account")
    await sign_in(other, name)
    await page.get_by_role("link", name="Change password").click()
    await submit(page, old=PASSWORD, password=NEW, again=NEW)
    await expect_page(page, "Your password is changed")
    await page.get_by_role("link", name="Your account").click()
    await expect_page(page, "Your account")
    await other.goto(f"{site.issuer}/account")
    await expect_page(other, "Sign in")


async def test_a_demanded_password_lets_the_sign_in_go_on_to_the_application(site: Site, contexts: Contexts) -> None:
    page, name = await contexts.open(), site.somebody()
    await operate(site, lambda core: core.accounts.require_reset(name, actor="tests"))
    await page.goto(site.app.start("house", ui_locales="de"))
    await sign_in(page, name)
    await expect_page(page, "Neues Passwort setzen")
    await submit(page, password=NEW, again=NEW)
    await expect(page.locator("#outcome")).to_be_visible()


async def test_a_new_address_counts_once_its_link_was_followed(site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    name = await account_views.address_confirm(page, site)
    assert "token" not in page.url
    await press(page, "Use this address")
    await expect_page(page, "Your address is changed")
    await page.get_by_role("link", name="Your account").click()
    await expect(page.locator(".lead")).to_contain_text(f"{name}@new.example")
