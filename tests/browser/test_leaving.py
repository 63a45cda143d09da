"""People sign out once, and are signed out everywhere: here, and at every application they had come to."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_outcome, expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

_TRIES = 150
_BOTH = ("house", "garden")


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def go_to_both(site: Site, page: Page, person: str) -> list[str]:
    """Sign in to both applications; their access tokens."""
    await page.goto(site.app.start(_BOTH[0]))
    await sign_in(page, person)
    await expect_outcome(page, "welcome")
    await page.goto(site.app.start(_BOTH[1]))
    welcome = await expect_outcome(page, "welcome")
    for client in _BOTH:
        await page.goto(f"{site.app.url}/home/{client}")
        await expect_outcome(page, welcome.replace("welcome", "signed in as"))
    return [tokens["access_token"] for tokens in site.app.tokens[-2:]]


async def expect_signed_out_of_both(site: Site, page: Page, tokens: list[str]) -> None:
    """Sooner or later: the applications are told in the background, caches hear of it within seconds."""
    for client in _BOTH:
        await _come_to(page, f"{site.app.url}/home/{client}", "signed in as nobody")
    for token in tokens:
        for _ in range(_TRIES):
            if not await site.active(token):
                break
            await page.wait_for_timeout(200)
        else:
            pytest.fail("an access token outlived the session")
    await _come_to(page, site.app.start("house", prompt="none"), "error login_required")


async def _come_to(page: Page, address: str, outcome: str) -> None:
    for _ in range(_TRIES):
        await page.goto(address)
        if await page.locator("#outcome").inner_text() == outcome:
            return
        await page.wait_for_timeout(200)
    pytest.fail(f"{address} never said {outcome!r}")


async def test_signing_out_here_is_signing_out_everywhere(site: Site, contexts: Contexts, scripted: bool) -> None:
    person = site.somebody()
    page = await contexts.open(java_script_enabled=scripted)
    elsewhere = await contexts.open()
    tokens = await go_to_both(site, page, person)
    kept = await go_to_both(site, elsewhere, person)
    await page.goto(f"{site.issuer}/account")
    await press(page, "Sign out")
    await expect_page(page, "Signed out")
    await expect_signed_out_of_both(site, page, tokens)

    # The same person's other browser is another session.
    assert all([await site.active(token) for token in kept])
    await elsewhere.goto(f"{site.app.url}/home/house")
    await expect_outcome(elsewhere, "signed in as usr_")
    await elsewhere.goto(site.app.start("garden", prompt="none"))
    await expect_outcome(elsewhere, "welcome usr_")


async def test_an_application_signs_people_out_and_has_them_back(
    site: Site, contexts: Contexts, scripted: bool
) -> None:
    page = await contexts.open(java_script_enabled=scripted)
    tokens = await go_to_both(site, page, site.somebody())
    hint = site.app.tokens[-2]["id_token"]
    query = {"id_token_hint": hint, "post_logout_redirect_uri": f"{site.app.url}/bye", "state": "s & t"}
    # Committed is enough: the page leads back by itself once the frame in it has loaded.
    await page.goto(f"{site.issuer}/oauth/logout?{urlencode(query)}", wait_until="commit")
    await page.wait_for_url(f"{site.app.url}/bye?state=s+%26+t")
    await expect_outcome(page, "bye")
    assert site.app.framed[-1]["iss"] == site.issuer, "the garden's frame was loaded on the way"
    await expect_signed_out_of_both(site, page, tokens)


async def test_whoever_says_no_stays_signed_in(site: Site, contexts: Contexts, scripted: bool) -> None:
    page = await contexts.open(java_script_enabled=scripted)
    await go_to_both(site, page, site.somebody())
    await page.goto(f"{site.issuer}/oauth/logout?client_id=house")
    await expect(page.locator("button[value=stay]")).to_be_visible()
    await page.locator("button[value=stay]").click()
    await expect_page(page, "Your account")
    for client in _BOTH:
        await page.goto(f"{site.app.url}/home/{client}")
        await expect_outcome(page, "signed in as usr_")
