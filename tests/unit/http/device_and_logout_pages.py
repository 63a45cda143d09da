"""The ways to the pages of devices, of logout and of refusals, over a service whose client has an attacker's name."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.core.relying_party import RelyingParty
from authcenter.proofs.pkce import challenge_of
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD, Workbench

REDIRECT = "https://shop.example/cb"
BYE = "https://bye.example/out"
FRAME = "https://shop.example/out"
MARKUP = "\"'><script>alert(1)</script>"
SESSION, BROWSER = "__Host-authcenter_session", "__Host-authcenter_browser"
ASKED = {
    "client_id": "shop",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": challenge_of("v" * 43),
    "code_challenge_method": "S256",
}
_UNKNOWN_CODE = "BBBB-BBBB"


async def add_shop(bench: Workbench) -> None:
    """The client ``shop``."""
    await bench.client(
        "shop",
        name=f"Shop {MARKUP}",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code", DEVICE_CODE_GRANT}),
        scopes=frozenset({"openid"}),
        redirect_uris=(REDIRECT,),
        relying_party=RelyingParty(
            logo_uri="https://cdn.example/logo.png",
            post_logout_redirect_uris=(BYE,),
            frontchannel_logout_uri=FRAME,
        ),
    )


def authorize(**changes: str) -> str:
    return f"/oauth/authorize?{urlencode({**ASKED, **changes})}"


def logout(**changes: str) -> str:
    return f"/oauth/logout?{urlencode({'client_id': 'shop', 'post_logout_redirect_uri': BYE, **changes})}"


async def sign_in(tab: Tab, path: str = "/login", password: str = PASSWORD, **more: str) -> Shown:
    shown = await tab.follow(await tab.get(path))
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": password, **more})


async def _limited(tab: Tab, _: Workbench) -> Shown:
    shown = await sign_in(tab, password="wrong")
    while shown.status == 401:
        shown = await sign_in(tab, password="wrong")
    return shown


async def _consent(tab: Tab, _: Workbench) -> Shown:
    return await tab.follow(await sign_in(tab, authorize()))


async def _consented(tab: Tab, bench: Workbench) -> Shown:
    asked = await _consent(tab, bench)
    return await tab.follow(await tab.post("/consent", {**asked.fields, "answer": "allow"}))


async def _account_with_a_consent(tab: Tab, bench: Workbench) -> Shown:
    await _consented(tab, bench)
    return await tab.get("/account")


async def _type_code(tab: Tab, code: str) -> Shown:
    shown = await tab.get("/device")
    return await tab.follow(await tab.post("/device", {**shown.fields, "user_code": code}))


async def _wrong_code(tab: Tab, _: Workbench) -> Shown:
    await sign_in(tab)
    return await _type_code(tab, _UNKNOWN_CODE)


async def _too_many_codes(tab: Tab, bench: Workbench) -> Shown:
    shown = await _wrong_code(tab, bench)
    while shown.status == 400:
        shown = await _type_code(tab, _UNKNOWN_CODE)
    return shown


async def _device_confirm(tab: Tab, _: Workbench) -> Shown:
    await sign_in(tab)
    answer = await Tab(tab.address).post("/oauth/device_authorization", {"client_id": "shop", "scope": "openid"})
    return await _type_code(tab, json.loads(answer.body)["user_code"])


async def _device_done(tab: Tab, bench: Workbench) -> Shown:
    asked = await _device_confirm(tab, bench)
    return await tab.post("/device", {**asked.fields, "answer": "allow"})


async def _logout(tab: Tab, _: Workbench) -> Shown:
    await sign_in(tab)
    return await tab.get(logout())


async def _signed_out_telling_others(tab: Tab, bench: Workbench) -> Shown:
    shown = await _account_with_a_consent(tab, bench)
    return await tab.post("/oauth/logout", {"csrf": shown.fields["csrf"]})


async def _signed_out_and_back(tab: Tab, bench: Workbench) -> Shown:
    await _consented(tab, bench)
    asked = await tab.get(logout())
    return await tab.post("/oauth/logout", {**asked.fields, "answer": "logout"})


async def _foreign_form(tab: Tab, _: Workbench) -> Shown:
    return await tab.post("/login", {"username": "alice", "password": PASSWORD}, Origin="https://evil.example")


@dataclass(frozen=True, slots=True)
class Page:
    """The way to it, and what its policy lets it do.

    Attributes:
        form_to: Where its forms may lead beside this server; ``image``: what it may show; ``frame``: what it may frame.
    """

    way: Callable[[Tab, Workbench], Awaitable[Shown]]
    status: int = 200
    form_to: str = ""
    image: str = ""
    frame: str = ""


_SHOP, _CDN = "https://shop.example", "https://cdn.example"
PAGES: dict[str, Page] = {
    "too many tries": Page(_limited, 429),
    "account with a consent": Page(_account_with_a_consent),
    "device": Page(lambda tab, _: tab.get("/device")),
    "device by a link": Page(lambda tab, _: tab.get(f"/device?{urlencode({'user_code': MARKUP})}")),
    "malformed device code": Page(lambda tab, _: _type_code(tab, MARKUP), 400),
    "wrong device code": Page(_wrong_code, 400),
    "too many device codes": Page(_too_many_codes, 429),
    "device confirm": Page(_device_confirm, image=_CDN),
    "device done": Page(_device_done),
    "logout": Page(_logout, form_to="https://bye.example"),
    "signed out": Page(lambda tab, _: tab.get("/oauth/logout")),
    "signed out, with a link back": Page(lambda tab, _: tab.get(logout())),
    "signed out, telling others": Page(_signed_out_telling_others, frame=_SHOP),
    "signed out, telling others, and back": Page(_signed_out_and_back, frame=_SHOP),
    "foreign redirect": Page(lambda tab, _: tab.get(authorize(redirect_uri="https://evil.example/")), 400),
    "foreign form": Page(_foreign_form, 403),
    "logout to a foreign address": Page(lambda tab, _: tab.get(logout(post_logout_redirect_uri=MARKUP)), 400),
    "logout of a strange sign-in": Page(lambda tab, _: tab.get(logout(id_token_hint=MARKUP)), 400),
}
