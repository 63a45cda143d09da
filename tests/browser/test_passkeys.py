"""People add passkeys and sign in by them, with Chromium's virtual authenticator."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.passkey_views import VIEWS, enrol, plug_in
from tests.browser.site import Site
from tests.browser.test_looks import READERS, assert_good
from tests.browser.walking import expect_outcome, expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_page_is_accessible_and_fits(
    named_site: Site, contexts: Contexts, shots: Path, axe_source: str, view: str, reader: str
) -> None:
    page = await contexts.open(**READERS[reader], bypass_csp=True)
    await VIEWS[view](page, named_site)
    await page.screenshot(path=shots / f"{view}-{reader}.png", full_page=True)
    await assert_good(page, axe_source, reader)


async def test_a_passkey_is_added_and_signs_in_alone_until_it_is_removed(named_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await enrol(page, named_site)
    await expect(page.get_by_text("Not used yet")).to_be_visible()
    await page.goto(f"{named_site.issuer}/account")
    await press(page, "Sign out")

    await page.goto(named_site.app.start("house", prompt="login"))
    await page.get_by_role("link", name="Sign in with a passkey").click()
    await expect_outcome(page, "welcome usr_")
    claims = named_site.app.claims()
    assert claims["acr"] == "urn:authcenter:acr:2fa"
    assert claims["amr"] == ["hwk", "user", "mfa"]
    assert not [text for text in said if "Content Security Policy" in text]

    await page.goto(f"{named_site.issuer}/account/passkeys")
    await expect(page.get_by_text("Last used on")).to_be_visible()
    await page.get_by_role("button", name="Remove My phone").click()
    await expect(page.get_by_text("You have no passkeys.")).to_be_visible()
    await page.goto(named_site.app.start("house", prompt="login"))
    await page.get_by_role("link", name="Sign in with a passkey").click()
    await expect(page.locator("#problem")).to_contain_text("This passkey does not work here.")


async def test_a_passkey_is_the_second_step(named_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    person, device = await enrol(page, named_site)
    await page.goto(named_site.app.start("house", prompt="login"))
    await sign_in(page, person)
    await expect_page(page, "Second step")
    await press(page, "Use a passkey")
    await expect_outcome(page, "welcome usr_")
    claims = named_site.app.claims()
    assert claims["amr"] == ["pwd", "hwk", "user", "mfa"]

    # The same passkey with the count it had before: a copy.
    [credential] = await device.credentials()
    assert isinstance(credential["signCount"], int)
    copied = await contexts.open()
    copy = await plug_in(copied)
    await copy.give({**credential, "signCount": 0})
    await copied.goto(named_site.app.start("house"))
    await sign_in(copied, person)
    await press(copied, "Use a passkey")
    await expect(copied.locator("#problem")).to_contain_text("This passkey does not work here.")


async def test_who_cancels_is_told_so_and_tries_again(named_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    _, device = await enrol(page, named_site)
    await device.recognises(verified=False)
    await page.goto(named_site.app.start("house", prompt="login"))
    await page.get_by_role("link", name="Sign in with a passkey").click()
    await expect_page(page, "Sign in with a passkey")
    await press(page, "Sign in with a passkey")
    await expect(page.get_by_role("alert")).to_contain_text("It was cancelled".lower())
    await device.recognises(verified=True)
    await press(page, "Sign in with a passkey")
    await expect_outcome(page, "welcome usr_")


async def test_a_device_is_added_once(named_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    await enrol(page, named_site)
    await press(page, "Add a passkey")
    await expect(page.get_by_role("alert")).to_contain_text("This device has a passkey for your account already.")
    await expect(page.locator("ul.cards > li")).to_have_count(1)


async def test_where_two_factors_are_asked_for_a_passkey_is_one(named_site: Site, contexts: Contexts) -> None:
    page = await contexts.open()
    await plug_in(page)
    await page.goto(named_site.app.start("house", acr_values="urn:authcenter:acr:2fa"))
    await sign_in(page, named_site.somebody())
    await page.get_by_role("link", name="Manage passkeys").click()
    await press(page, "Add a passkey")
    await page.get_by_role("link", name="I have saved them").click()
    await expect_outcome(page, "welcome usr_")
    assert named_site.app.claims()["acr"] == "urn:authcenter:acr:2fa"


async def test_without_scripts_everything_else_works_and_says_so(named_site: Site, contexts: Contexts) -> None:
    scripted = await contexts.open()
    person, _ = await enrol(scripted, named_site)
    await scripted.goto(f"{named_site.issuer}/account/second-factors")
    await press(scripted, "Make new recovery codes")
    code = await scripted.locator("ul.recovery li").first.inner_text()

    page = await contexts.open(java_script_enabled=False)
    await page.goto(named_site.app.start("house"))
    await page.get_by_role("link", name="Sign in with a passkey").click()
    await expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await page.get_by_role("link", name="Sign in another way").click()
    await sign_in(page, person)
    await expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    await page.locator("summary").click()
    await page.locator("#recovery").fill(code)
    await press(page, "Use recovery code")
    await expect_outcome(page, "welcome usr_")
    await page.goto(f"{named_site.issuer}/account/passkeys")
    await expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    await page.get_by_role("button", name="Remove My phone").click()
    await expect(page.get_by_text("You have no passkeys.")).to_be_visible()
