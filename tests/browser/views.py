"""Every page as people may meet it, by name, and the way to it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser import account_views, console_views, own_account_views, second_factor_views
from tests.browser.sign_up_mail import sign_up_link
from tests.browser.site import LONG_NAME, Site
from tests.browser.walking import ask_for_link, sign_in, sign_in_elsewhere

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
    await sign_in_elsewhere(page, site.issuer, person, 4)
    await page.goto(site.app.start("house"))
    await sign_in(page, person)
    await expect(page.get_by_role("heading", level=2)).to_have_count(4)


async def _federated(page: Page, site: Site, **claims: object) -> None:
    """Come by the company, as somebody new there."""
    name = site.somebody()
    site.company.person = {"sub": name, "email": f"{name}@firma.example", "email_verified": True, **claims}
    await page.goto(f"{site.issuer}/login")
    await page.locator("a[href^='/federation/company?']").click()


async def _provider_gone(page: Page, site: Site) -> None:
    await page.goto(site.app.start("shop"))
    await page.locator("a[href^='/federation/gone?']").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _unverified_identity(page: Page, site: Site) -> None:
    await _federated(page, site, email_verified=False)
    await expect(page.get_by_role("alert")).to_be_visible()


async def _no_identities(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account/identities")
    await sign_in(page, site.somebody())
    await expect(page.locator("a[href^='/federation/company?']")).to_be_visible()


async def _identities(page: Page, site: Site) -> None:
    await _federated(page, site)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.goto(f"{site.issuer}/account/identities")
    site.github.person = {**site.github.person, "id": int(site.company.person["sub"].rpartition("-")[2])}
    await page.locator("a[href^='/federation/github?']").click()
    await expect(page.locator("#identity-2")).to_be_visible()


async def _last_identity(page: Page, site: Site) -> None:
    await _federated(page, site)
    await page.goto(f"{site.issuer}/account/identities")
    await page.locator("#unlink-1").click()
    await expect(page.get_by_role("alert")).to_be_visible()


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


async def _device(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/device")


async def _device_link(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/device?user_code={await site.user_code()}")


async def _wrong_code(page: Page, site: Site) -> None:
    await _device(page, site)
    await _type_code(page, "BBBB-BBBB")
    await sign_in(page, site.somebody())
    await expect(page.get_by_role("alert")).to_be_visible()


async def _too_many_codes(page: Page, site: Site) -> None:
    await _wrong_code(page, site)
    for _ in range(3):
        await _type_code(page, "BBBB-BBBB")
    await expect(page.get_by_role("alert")).to_contain_text("min", ignore_case=True)


async def _device_confirm(page: Page, site: Site) -> None:
    await _device_link(page, site)
    await page.get_by_role("button").click()
    await sign_in(page, site.somebody())
    await expect(page.locator("button[value=allow]")).to_be_visible()
    assert await page.locator("img.client").evaluate("image => image.naturalWidth"), "the policy lets it be loaded"


async def _device_allowed(page: Page, site: Site) -> None:
    await _device_confirm(page, site)
    await page.locator("button[value=allow]").click()
    await expect(page.get_by_role("status")).to_be_visible()


async def _device_denied(page: Page, site: Site) -> None:
    await _device_confirm(page, site)
    await page.locator("button[value=deny]").click()
    await expect(page.get_by_role("status")).to_be_visible()


async def _type_code(page: Page, code: str) -> None:
    await page.locator("#user_code").fill(code)
    async with page.expect_navigation():
        await page.locator("#user_code").press("Enter")


async def _logout(page: Page, site: Site) -> None:
    await page.goto(site.app.start("garden"))
    await sign_in(page, site.somebody())
    await expect(page.locator("#outcome")).to_be_visible()
    await page.goto(f"{site.issuer}/oauth/logout?client_id=garden&post_logout_redirect_uri={site.app.url}/bye")
    await expect(page.locator("button[value=logout]")).to_be_visible()


async def _signed_out(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/logout")


async def _signed_out_with_a_way_back(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/logout?client_id=house&post_logout_redirect_uri={site.app.url}/bye")


async def _signed_out_telling_others(page: Page, site: Site) -> None:
    await page.goto(site.app.start("garden"))
    await sign_in(page, site.somebody())
    await expect(page.locator("#outcome")).to_be_visible()
    await page.goto(f"{site.issuer}/account")
    async with page.expect_response(f"{site.app.url}/front?*"):
        await page.locator("form[action='/oauth/logout'] button").click()
    await expect(page.locator("iframe")).to_have_count(1)


async def _unregistered_way_back(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/logout?client_id=house&post_logout_redirect_uri=https://evil.example/")


async def _logout_of_nobody(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/logout?client_id=nobody&post_logout_redirect_uri=https://evil.example/")


async def _strange_hint(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/logout?id_token_hint=x.y.z")


async def _disabled_client(page: Page, site: Site) -> None:
    await page.goto(site.app.start("closed"))


async def _no_client(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/oauth/authorize")


async def _said_twice(page: Page, site: Site) -> None:
    await page.goto(f"{site.app.start('shop')}&state=again")


async def _foreign_form(page: Page, site: Site) -> None:
    site.app.form = (f"{site.issuer}/login", {"username": "alice"})
    await page.goto(f"{site.app.url}/form")
    async with page.expect_navigation():
        await page.get_by_role("button").click()


async def _not_found(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/{_STRANGE}")


async def _sign_up(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/signup")


async def _sign_up_wrong(page: Page, site: Site) -> None:
    await _sign_up(page, site)
    await ask_for_link(page, "somebody at example.com")
    await expect(page.get_by_role("alert")).to_be_visible()


async def _sign_up_sent(page: Page, site: Site) -> None:
    await _sign_up(page, site)
    await ask_for_link(page, site.new_address())
    await expect(page.locator("form")).to_have_count(0)


async def _sign_up_choose(page: Page, site: Site) -> None:
    address = site.new_address()
    await _sign_up(page, site)
    await ask_for_link(page, address)
    await page.goto(await sign_up_link(site, address))
    await expect(page.locator("#username")).to_be_visible()


async def _sign_up_taken(page: Page, site: Site) -> None:
    await _sign_up_choose(page, site)
    await sign_in(page, "alice", "kettle bracket violin")
    await expect(page.get_by_role("alert")).to_be_visible()


async def _sign_up_weak(page: Page, site: Site) -> None:
    await _sign_up_choose(page, site)
    await sign_in(page, "quimby", "Quimby2024")
    await expect(page.get_by_role("alert")).to_be_visible()


async def _sign_up_strength(page: Page, site: Site) -> None:
    await _sign_up_choose(page, site)
    await page.locator("#username").fill("quimby")
    await page.locator("#password").fill("quimby violin 7")
    await page.locator("button[value=check]").click()
    await expect(page.locator("meter")).to_be_visible()


async def _sign_up_stale(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/signup/verify?token={'x' * 43}")


async def _english(page: Page) -> bool:
    return await page.locator("html").get_attribute("lang") == "en"


VIEWS: dict[str, View] = {
    "login": _login,
    "login-wrong": _wrong_password,
    "login-limited": _too_many_tries,
    "login-known": _known,
    "consent": _consent,
    "consent-long": _long_consent,
    "sign-up": _sign_up,
    "sign-up-wrong": _sign_up_wrong,
    "sign-up-sent": _sign_up_sent,
    "sign-up-choose": _sign_up_choose,
    "sign-up-taken": _sign_up_taken,
    "sign-up-weak": _sign_up_weak,
    "sign-up-strength": _sign_up_strength,
    "sign-up-stale": _sign_up_stale,
    "form-post": _form_post,
    "device": _device,
    "device-link": _device_link,
    "device-wrong": _wrong_code,
    "device-limited": _too_many_codes,
    "device-confirm": _device_confirm,
    "device-allowed": _device_allowed,
    "device-denied": _device_denied,
    "logout": _logout,
    "signed-out": _signed_out,
    "signed-out-back": _signed_out_with_a_way_back,
    "signed-out-frames": _signed_out_telling_others,
    "account": _account,
    "account-empty": _empty_account,
    "account-sessions": _account_sessions,
    "account-sessions-one": _lone_session,
    "login-sessions": _login_sessions,
    "provider-gone": _provider_gone,
    "identity-unverified": _unverified_identity,
    "identities": _identities,
    "identities-empty": _no_identities,
    "identities-last": _last_identity,
    "error-client": _unknown_client,
    "error-redirect": _foreign_redirect,
    "error-ticket": _stale_ticket,
    "error-form": _stale_form,
    "error-foreign-form": _foreign_form,
    "error-disabled": _disabled_client,
    "error-no-client": _no_client,
    "error-repeated": _said_twice,
    "error-logout-uri": _unregistered_way_back,
    "error-logout-client": _logout_of_nobody,
    "error-logout-hint": _strange_hint,
    "error-not-found": _not_found,
    **own_account_views.VIEWS,
    **account_views.VIEWS,
    **second_factor_views.VIEWS,
    **console_views.VIEWS,
}
