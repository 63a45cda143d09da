"""Every page as people may meet it, by name, and the way to it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser.site import LONG_NAME, Site
from tests.browser.walking import sign_in, sign_in_elsewhere

View = Callable[[Page, Site], Awaitable[None]]
_STRANGE = "no such page"


async def _login(page: Page, site: Site) -> None:
    await page.goto(site.app.start("shop"))


async def _wrong_password(page: Page, site: Site) -> None:
    await _login(page, site)
    await sign_in(page, site.somebody(), "not theirs")
    await expect(page.get_by_role("alert")).to_be_visible()


async def _too_many_tries(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/login")
    nobody = f"not-{site.somebody()}"
    for _ in range(4):
        await sign_in(page, nobody, "wrong")
        await expect(page.locator("#username")).to_have_value(nobody)
    await expect(page.get_by_role("alert")).to_contain_text("min", ignore_case=True)


async def _known(page: Page, site: Site) -> None:
    await page.goto(site.app.start("garden"))
    await sign_in(page, site.somebody())
    await expect(page.locator("#outcome")).to_be_visible()
    await page.goto(site.app.start("shop", prompt="select_account"))


async def _consent(page: Page, site: Site) -> None:
    scope = "openid profile email offline_access reports:read reports:write"
    claims = '{"id_token": {"birthdate": null}}'
    await page.goto(site.app.start("shop", prompt="consent", scope=scope, claims=claims))
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("heading", level=1)).to_contain_text(("Der Laden", "The Shop")[await _english(page)])


async def _long_consent(page: Page, site: Site) -> None:
    await page.goto(site.app.start("long", prompt="consent", scope="openid"))
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("heading", level=1)).to_contain_text(LONG_NAME)


async def _form_post(page: Page, site: Site) -> None:
    # Kept where it is: else the script takes it on at once.
    await page.route("**/static/form_post.js", lambda route: route.abort())
    await page.goto(site.app.start("house", response_mode="form_post"))
    await sign_in(page, site.somebody())
    await expect(page.locator("#answer")).to_be_visible()


async def _account(page: Page, site: Site) -> None:
    for client in ("shop", "long"):
        await page.goto(site.app.start(client, prompt="consent", scope="openid email"))
        if await page.locator("#username").count():
            await sign_in(page, site.somebody())
        await page.locator("button[value=allow]").click()
        await expect(page.locator("#outcome")).to_be_visible()
    await page.goto(f"{site.issuer}/account")


async def _empty_account(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account")
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("heading", level=2)).to_be_visible()


async def _account_sessions(page: Page, site: Site) -> None:
    person = site.somebody()
    await sign_in_elsewhere(page, site.issuer, person, 2)
    await page.goto(f"{site.issuer}/account/sessions")
    await sign_in(page, person)
    await expect(page.get_by_role("heading", level=2)).to_have_count(3)


async def _lone_session(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account/sessions")
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("heading", level=2)).to_have_count(1)


async def _login_sessions(page: Page, site: Site) -> None:
    person = site.somebody()
    await sign_in_elsewhere(page, site.issuer, person, 3)
    await page.goto(site.app.start("house"))
    await sign_in(page, person)
    await expect(page.get_by_role("heading", level=2)).to_have_count(3)


async def _unknown_client(page: Page, site: Site) -> None:
    await page.goto(site.app.start("nobody"))


async def _foreign_redirect(page: Page, site: Site) -> None:
    await page.goto(site.app.start("shop", redirect_uri="https://evil.example/cb"))


async def _stale_ticket(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/login?ticket=forwarded")


async def _stale_form(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/login")
    await page.context.clear_cookies()
    await sign_in(page, "alice")
    await expect(page.locator("code")).to_be_visible()


async def _not_found(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/{_STRANGE}")


async def _english(page: Page) -> bool:
    return await page.locator("html").get_attribute("lang") == "en"


VIEWS: dict[str, View] = {
    "login": _login,
    "login-wrong": _wrong_password,
    "login-limited": _too_many_tries,
    "login-known": _known,
    "consent": _consent,
    "consent-long": _long_consent,
    "form-post": _form_post,
    "account": _account,
    "account-empty": _empty_account,
    "account-sessions": _account_sessions,
    "account-sessions-one": _lone_session,
    "login-sessions": _login_sessions,
    "error-client": _unknown_client,
    "error-redirect": _foreign_redirect,
    "error-ticket": _stale_ticket,
    "error-form": _stale_form,
    "error-not-found": _not_found,
}
