"""Operators at work: a second factor, a broken login explained, a person disabled, tokens counted and revoked."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.console_views import break_a_login, enter, reload_until
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, press, sign_in, type_code

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_an_operators_day(site: Site, contexts: Contexts, scripted: bool) -> None:
    operator, person = site.operator(), site.somebody()
    at_home = await contexts.open(java_script_enabled=scripted)
    request_id = await break_a_login(at_home, site)
    await at_home.goto(site.app.start("garden"))
    await sign_in(at_home, person)
    await expect_outcome(at_home, "welcome usr_")

    first = await contexts.open(java_script_enabled=scripted)
    app = await enter(first, site, name=operator)

    page = await contexts.open(java_script_enabled=scripted)
    await page.goto(f"{site.issuer}/console")
    await sign_in(page, operator)
    await expect_page(page, "Second step")
    # The step of the code that turned it on is spent.
    await type_code(page, app, "code", page.locator("nav a[aria-current=page]"), steps_ahead=1)
    await expect_page(page, "Overview")

    await page.get_by_role("link", name="Explain").click()
    await page.locator("#request").fill(request_id)
    await press(page, "Explain")
    await reload_until(page, page.locator("[role=alert] strong"))
    await expect(page.get_by_role("alert")).to_contain_text("Refused by redirect_uri")
    await expect(page.get_by_text("It differs from")).to_be_visible()

    await page.get_by_role("link", name="Users").click()
    await page.locator("#q").fill(person)
    await press(page, "Find")
    await page.get_by_role("link", name=person, exact=True).click()
    await expect_page(page, person)
    await press(page, "Disable")
    await expect(page.get_by_role("alert")).to_contain_text("Disabled since")
    await at_home.goto(f"{site.issuer}/account")
    await expect_page(at_home, "Sign in")
    await press(page, "Enable")
    await expect(page.get_by_role("button", name="Disable", exact=True)).to_be_visible()

    other = await contexts.open(java_script_enabled=scripted)
    await other.goto(site.app.start("kiosk"))
    await sign_in(other, site.somebody())
    await expect_outcome(other, "welcome usr_")
    await page.get_by_role("link", name="Revocations").click()
    await page.locator("#by").select_option("client")
    await page.locator("#of").fill("kiosk")
    await press(page, "Count")
    tokens = page.locator("#tokens")
    await expect(tokens).not_to_have_text("0")
    await page.locator("#reason").fill("the kiosk was robbed")
    await page.locator("#confirm").fill("kiosk")
    await press(page, "Revoke")
    await expect(page.get_by_role("status")).to_contain_text("Revoked.")
    await expect(tokens).to_have_text("0")

    await page.get_by_role("link", name="Audit log").click()
    await page.locator("#event").fill("tokens.cut")
    await press(page, "Find")
    await expect(page.get_by_text("the kiosk was robbed").first).to_be_visible()
