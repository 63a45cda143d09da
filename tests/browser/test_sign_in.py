"""People sign in to applications, with scripts and without."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def visitor(contexts: Contexts, *, scripted: bool) -> Page:
    return await contexts.open(java_script_enabled=scripted)


async def test_sign_in_consent_and_sso(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("shop"))
    await expect_page(page, "Sign in")
    await expect(page).to_have_title(re.compile("^Sign in . Example & Co$"))
    await sign_in(page, person)
    await expect_page(page, "The Shop asks for access")
    await press(page, "Allow")
    welcome = await expect_outcome(page, "welcome usr_")

    # Remembered, and a first-party application is never asked about.
    for client in ("shop", "house"):
        await page.goto(site.app.start(client))
        assert await expect_outcome(page, "welcome") == welcome


async def test_a_wrong_password_is_told_and_the_next_try_goes_on(
    site: Site, contexts: Contexts, scripted: bool
) -> None:
    person = site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("house"))
    await sign_in(page, person, "not hers")
    await expect(page.get_by_role("alert")).to_contain_text("do not go together")
    await expect(page).to_have_title(re.compile("^Error: Sign in"))
    await expect(page.locator("#username")).to_have_value(person)
    await expect(page.locator("#password")).to_have_value("")
    await expect(page.locator("#password")).to_have_attribute("aria-describedby", "problem")
    await sign_in(page, person)
    await expect_outcome(page, "welcome")


async def test_denying_is_told_to_the_application(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("shop", prompt="consent"))
    await sign_in(page, person)
    await press(page, "Deny")
    await expect_outcome(page, "error access_denied")
    # Nothing is remembered of a no but the session.
    await page.goto(site.app.start("house", prompt="none"))
    await expect_outcome(page, "welcome")


async def test_cancelling_the_sign_in_is_told_to_the_application(
    site: Site, contexts: Contexts, scripted: bool
) -> None:
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("shop"))
    await press(page, "Cancel")
    await expect_outcome(page, "error access_denied")


@pytest.mark.parametrize("again", [{"prompt": "login"}, {"max_age": "0"}], ids=["prompt=login", "max_age"])
async def test_being_asked_again(site: Site, contexts: Contexts, again: dict[str, str]) -> None:
    person = site.somebody()
    page = await contexts.open()
    await page.goto(site.app.start("house"))
    await sign_in(page, person)
    welcome = await expect_outcome(page, "welcome")
    await page.goto(site.app.start("garden", **again))
    await expect_page(page, "Sign in")
    await expect(page.get_by_role("button", name=f"Go on as {person}")).to_have_count(0)
    await sign_in(page, person)
    assert await expect_outcome(page, "welcome") == welcome


async def test_choosing_an_account(site: Site, contexts: Contexts, scripted: bool) -> None:
    person, other = site.somebody(), site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("house"))
    await sign_in(page, person)
    first = await expect_outcome(page, "welcome")
    await page.goto(site.app.start("garden", prompt="select_account"))
    await press(page, f"Go on as {person}")
    assert await expect_outcome(page, "welcome") == first
    await page.goto(site.app.start("garden", prompt="select_account"))
    await sign_in(page, other)
    assert await expect_outcome(page, "welcome") != first


async def test_not_being_who_the_consent_page_says(site: Site, contexts: Contexts) -> None:
    person, other = site.somebody(), site.somebody()
    page = await contexts.open()
    await page.goto(site.app.start("long"))
    await sign_in(page, person)
    await page.get_by_role("link", name="Not you?").click()
    await sign_in(page, other)
    await expect(page.get_by_text(f"You are signed in as {other}.")).to_be_visible()


async def test_an_answer_by_form_post(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(site.app.start("house", response_mode="form_post"))
    await sign_in(page, person)
    if not scripted:
        await expect(page.get_by_text("If nothing happens")).to_be_visible()
        await press(page, "Continue")
    await expect_outcome(page, "welcome")


async def test_a_client_is_forgotten_on_the_account_page(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await visitor(contexts, scripted=scripted)
    await page.goto(f"{site.issuer}/account")
    await expect_page(page, "Sign in")
    await sign_in(page, person)
    await expect_page(page, "Your account")
    await page.goto(site.app.start("shop", prompt="consent", scope="openid email reports:read"))
    await press(page, "Allow")
    await expect_outcome(page, "welcome")
    await page.goto(f"{site.issuer}/account")
    await expect(page.get_by_role("listitem").filter(has_text="reports:read").last).to_be_visible()
    await press(page, "Withdraw access The Shop")
    await expect(page.get_by_role("button", name="Withdraw access The Shop")).to_have_count(0)
    await page.goto(site.app.start("shop"))
    await expect_page(page, "The Shop asks for access")


async def test_too_many_tries_say_how_long_to_wait(site: Site, contexts: Contexts, scripted: bool) -> None:
    page, nobody = await visitor(contexts, scripted=scripted), f"nobody-{scripted}"
    await page.goto(f"{site.issuer}/login")
    for _ in range(3):
        await sign_in(page, nobody, "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("do not go together")
    await sign_in(page, nobody, "wrong")
    await expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Wait \d+ min"))


async def test_the_keyboard_alone_does(site: Site, contexts: Contexts) -> None:
    person = site.somebody()
    page = await contexts.open()
    await page.goto(site.app.start("shop", prompt="consent"))
    await expect(page.locator("#username")).to_be_focused()
    await page.keyboard.type(person)
    await page.keyboard.press("Tab")
    await expect(page.locator("#password")).to_be_focused()
    await sign_in(page, person)
    await expect_page(page, "The Shop asks for access")
    seen = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate("document.activeElement.textContent"))
        width = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px", "the focus is seen"
    assert seen == ["Not you?", "Allow", "Deny", "Website", "Privacy policy"]
