"""The pages of passkeys as people may meet them, by name, and the way to each; and an authenticator for that."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import CDPSession, Page, expect

from tests.browser.site import LONG_NAME, Site
from tests.browser.walking import set_up_app, sign_in

_OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True, slots=True)
class VirtualDevice:
    """Chromium's virtual authenticator."""

    session: CDPSession
    name: str

    async def credentials(self) -> list[dict[str, object]]:
        """The passkeys that are on it."""
        told = await self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.name})
        found: list[dict[str, object]] = told["credentials"]
        return found

    async def give(self, credential: dict[str, object]) -> None:
        """Put a passkey of another device on it."""
        await self.session.send("WebAuthn.addCredential", {"authenticatorId": self.name, "credential": credential})

    async def answers(self, *, present: bool) -> None:
        """Whether somebody presses what is to be pressed."""
        told = {"authenticatorId": self.name, "enabled": present}
        await self.session.send("WebAuthn.setAutomaticPresenceSimulation", told)

    async def recognises(self, *, verified: bool) -> None:
        """Whether it finds that it is its owner's hand."""
        await self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.name, "isUserVerified": verified})


async def plug_in(page: Page) -> VirtualDevice:
    """An authenticator for ``page``, with no passkey on it."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable", {"enableUI": False})
    made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": _OPTIONS})
    return VirtualDevice(session, made["authenticatorId"])


async def add_passkey(page: Page, site: Site, name: str = "My phone") -> None:
    """Who is signed in adds their first one, up to the list."""
    await page.goto(f"{site.issuer}/account/passkeys")
    await page.locator("#name").fill(name)
    await page.locator("form[data-passkey] button").click()
    await expect(page.locator("ul.recovery li")).to_have_count(10)
    await page.locator("a.button").click()
    await expect(page.locator("#passkey-1")).to_have_text(name)


async def enrol(page: Page, site: Site) -> tuple[str, VirtualDevice]:
    """Somebody whom no test has met, signed in, with a passkey."""
    person, device = site.somebody(), await plug_in(page)
    await page.goto(f"{site.issuer}/account/passkeys")
    await sign_in(page, person)
    await add_passkey(page, site)
    return person, device


async def _login(page: Page, site: Site) -> None:
    await page.goto(site.app.start("shop"))
    await expect(page.locator("a.button[href^='/login/passkey']")).to_be_visible()


async def _none(page: Page, site: Site) -> None:
    await page.goto(f"{site.issuer}/account/passkeys")
    await sign_in(page, site.somebody())
    await expect(page.locator("#name")).to_be_visible()


async def _some(page: Page, site: Site) -> None:
    await enrol(page, site)


async def _cancelled(page: Page, site: Site) -> None:
    device = await plug_in(page)
    await _none(page, site)
    await device.recognises(verified=False)
    await page.locator("form[data-passkey] button").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _wrong(page: Page, site: Site) -> None:
    await enrol(page, site)
    await page.locator("form[data-passkey]").evaluate("form => form.submit()")
    await expect(page.locator("#problem")).to_be_visible()


async def _alone(page: Page, site: Site) -> None:
    device = await plug_in(page)
    await device.answers(present=False)
    await page.goto(site.app.start("long"))
    await page.locator("a.button[href^='/login/passkey']").click()
    await expect(page.get_by_text(LONG_NAME)).to_be_visible()


async def _alone_refused(page: Page, site: Site) -> None:
    await _alone(page, site)
    await page.locator("form[data-passkey]").evaluate("form => form.submit()")
    await expect(page.locator("#problem")).to_be_visible()


async def _second(page: Page, site: Site) -> None:
    person, _ = await enrol(page, site)
    await page.goto(site.app.start("shop", prompt="login"))
    await sign_in(page, person)
    await expect(page.locator("form[data-passkey] button")).to_be_visible()


async def _second_with_app(page: Page, site: Site) -> None:
    person, _ = await enrol(page, site)
    await page.goto(f"{site.issuer}/account/second-factors")
    await set_up_app(page)
    await page.goto(site.app.start("shop", prompt="login"))
    await sign_in(page, person)
    await expect(page.locator("form[data-passkey] button")).to_be_visible()
    await page.locator("form[data-passkey]").evaluate("form => form.submit()")
    await expect(page.locator("#problem")).to_be_visible()


VIEWS: dict[str, Callable[[Page, Site], Awaitable[None]]] = {
    "login-with-passkey": _login,
    "passkeys-none": _none,
    "passkeys": _some,
    "passkeys-cancelled": _cancelled,
    "passkeys-wrong": _wrong,
    "passkey-alone": _alone,
    "passkey-alone-wrong": _alone_refused,
    "second-step-passkey": _second,
    "second-step-passkey-wrong": _second_with_app,
}
