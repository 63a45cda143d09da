"""A device without a keyboard, and the phone on which its owner says yes or no (RFC 8628)."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from authcenter.core.device import DEVICE_CODE_GRANT
from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

_PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}


async def poll(site: Site, device: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": DEVICE_CODE_GRANT, "client_id": "shop", "device_code": device["device_code"]}
    return await site.app.ask("/oauth/token", form)


async def come_by_link(site: Site, page: Page, device: dict[str, Any]) -> None:
    """As the QR code leads there."""
    await page.goto(device["verification_uri_complete"])
    await expect(page.locator("#user_code")).to_have_value(device["user_code"])
    await page.get_by_role("button").click()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
async def test_the_owner_allows_it_on_a_phone(site: Site, contexts: Contexts, scripted: bool) -> None:
    page = await contexts.open(**_PHONE, java_script_enabled=scripted)
    device = await site.device()
    await come_by_link(site, page, device)
    await sign_in(page, site.somebody())
    await expect_page(page, "The Shop on a device asks for access")
    await expect(page.get_by_text(device["user_code"])).to_be_visible()
    await press(page, "Allow")
    await expect(page.get_by_role("status")).to_be_visible()
    status, tokens = await poll(site, device)
    assert (status, tokens["token_type"], tokens["scope"]) == (200, "Bearer", "reports:read")


async def test_the_owner_denies_it(site: Site, contexts: Contexts) -> None:
    page, device = await contexts.open(**_PHONE), await site.device()
    await come_by_link(site, page, device)
    await sign_in(page, site.somebody())
    await press(page, "Deny")
    await expect(page.get_by_role("status")).to_be_visible()
    status, refusal = await poll(site, device)
    assert (status, refusal["error"]) == (400, "access_denied")


async def test_a_code_typed_in_small_letters_and_without_its_dash_does(site: Site, contexts: Contexts) -> None:
    page, device = await contexts.open(**_PHONE), await site.device()
    await page.goto(f"{site.issuer}/device")
    await page.locator("#user_code").fill(device["user_code"].replace("-", " ").lower())
    await page.locator("#user_code").press("Enter")
    await sign_in(page, site.somebody())
    await expect(page.get_by_text(device["user_code"])).to_be_visible()
    # Nothing has been said yet.
    status, refusal = await poll(site, device)
    assert (status, refusal["error"]) == (400, "authorization_pending")
