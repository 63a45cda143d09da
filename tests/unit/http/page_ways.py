"""The way to each page of the service, for a person named alice and an application of an attacker's naming."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlencode

from authcenter.core.mail import MailKind
from authcenter.proofs.pkce import challenge_of
from tests.authenticator import Authenticator, enrol
from tests.passkey_device import PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import link
from tests.unit.http.operating import at_console
from tests.unit.http.passkey_walks import make
from tests.unit.http.signing_up import ON, choose, follow_link
from tests.workbench import PASSWORD, Workbench

REDIRECT = "https://shop.example/cb"
MARKUP = "\"'><script>alert(1)</script>"
SESSION, BROWSER = "__Host-authcenter_session", "__Host-authcenter_browser"
NOWHERE = "kind: openid, client_id: x, issuer: 'http://127.0.0.1:1'"
"""A provider that nobody may go to: the policy does not list its network."""

ASKED = {
    "client_id": "shop",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": challenge_of("v" * 43),
    "code_challenge_method": "S256",
}


def authorize(**changes: str) -> str:
    return f"/oauth/authorize?{urlencode({**ASKED, **changes})}"


async def sign_in(tab: Tab, path: str = "/login", password: str = PASSWORD, **more: str) -> Shown:
    shown = await tab.follow(await tab.get(path))
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": password, **more})


async def outage(tab: Tab, bench: Workbench) -> Shown:
    bench.board.down = True
    return await tab.get(authorize())


async def form_post(tab: Tab, _: Workbench) -> Shown:
    return await tab.follow(await tab.get(authorize(response_mode="form_post", prompt="none", state=MARKUP)))


async def consent(tab: Tab, _: Workbench) -> Shown:
    return await tab.follow(await sign_in(tab, authorize()))


async def account(tab: Tab, _: Workbench) -> Shown:
    return await tab.follow(await sign_in(tab))


async def account_sessions(tab: Tab, _: Workbench) -> Shown:
    await sign_in(Tab(tab.address))
    await sign_in(tab)
    return await tab.get("/account/sessions")


async def login_sessions(tab: Tab, bench: Workbench) -> Shown:
    bench.offer("sessions: {max_per_user: 1, when_full: reject}")
    await sign_in(Tab(tab.address))
    return await tab.follow(await sign_in(tab, authorize()))


def section(name: str, **form: str) -> Callable[[Tab, Workbench], Awaitable[Shown]]:
    """The way to a page under the account, and with ``form`` what it answers to that."""

    async def way(tab: Tab, _: Workbench) -> Shown:
        shown = await tab.follow(await sign_in(tab, f"/account/{name}"))
        return await tab.post(f"/account/{name}", {**shown.fields, **form}) if form else shown

    return way


async def login(tab: Tab, _: Workbench) -> Shown:
    return await tab.follow(await tab.get(authorize()))


async def identities(tab: Tab, bench: Workbench) -> Shown:
    bench.offer(f"identity_providers: {{home: {{{NOWHERE}}}}}")
    await sign_in(tab)
    return await tab.get("/account/identities")


async def provider_gone(tab: Tab, bench: Workbench) -> Shown:
    bench.offer(f"identity_providers: {{home: {{{NOWHERE}}}}}")
    shown = await tab.get("/login")
    return await tab.get("/federation/home?ticket=" + shown.fields["ticket"])


async def second_factor(tab: Tab, bench: Workbench) -> Shown:
    await enrol(bench)
    return await tab.follow(await sign_in(tab, authorize()))


async def second_factors(tab: Tab, _: Workbench) -> Shown:
    await sign_in(tab)
    return await tab.get("/account/second-factors")


async def setting_up(tab: Tab, bench: Workbench) -> Shown:
    shown = await second_factors(tab, bench)
    return await tab.follow(await tab.post("/account/second-factors", {**shown.fields, "act": "begin"}))


async def recovery_codes(tab: Tab, bench: Workbench) -> Shown:
    shown = await setting_up(tab, bench)
    begun = await bench.core.second_factors.begun(bench.alice)
    assert begun is not None
    code = Authenticator(bench, begun.secret).code()
    return await tab.post("/account/second-factors", {**shown.fields, "act": "confirm", "code": code})


async def sign_up(tab: Tab, bench: Workbench, email: str = "") -> Shown:
    bench.offer(ON)
    shown = await tab.get("/signup")
    return await tab.post("/signup", {**shown.fields, "email": email}) if email else shown


async def sign_up_sent(tab: Tab, bench: Workbench) -> Shown:
    return await tab.follow(await sign_up(tab, bench, "jo@example.com"))


async def sign_up_link(tab: Tab, bench: Workbench) -> Shown:
    bench.offer(ON)
    return await follow_link(tab, bench)


async def sign_up_without_link(tab: Tab, bench: Workbench) -> Shown:
    bench.offer(ON)
    return await tab.get("/signup/verify")


async def sign_up_refused(tab: Tab, bench: Workbench) -> Shown:
    return await choose(tab, await sign_up_link(tab, bench), MARKUP, "<b>")


async def reset(tab: Tab, bench: Workbench) -> Shown:
    shown = await tab.get("/password/forgot")
    await tab.post("/password/forgot", {**shown.fields, "email": "alice@example.com"})
    return await tab.follow(await tab.get(await link(bench)))


async def demanded(tab: Tab, bench: Workbench) -> Shown:
    await bench.core.accounts.require_reset("alice", actor="tests")
    bench.clock.advance(5)
    return await tab.follow(await sign_in(tab))


async def own(tab: Tab, path: str) -> Shown:
    await sign_in(tab)
    return await tab.get(path)


async def new_address(tab: Tab, bench: Workbench) -> Shown:
    shown = await own(tab, "/account/address")
    await tab.post("/account/address", {**shown.fields, "email": "alice@new.example"})
    return await tab.follow(await tab.get(await link(bench, MailKind.CONFIRM_NEW_ADDRESS)))


def console(path: str) -> Callable[[Tab, Workbench], Awaitable[Shown]]:
    """The way to a page of the operators'."""

    async def way(tab: Tab, bench: Workbench) -> Shown:
        return await (await at_console(bench, tab.address)).get(path)

    return way


# The way to each page, and its status.
async def passkeys(tab: Tab, bench: Workbench) -> Shown:
    await sign_in(tab)
    await make(tab, PasskeyDevice(), name=MARKUP)
    return await tab.get("/account/passkeys")


async def passkey_alone(tab: Tab, _: Workbench) -> Shown:
    shown = await tab.follow(await tab.get(authorize()))
    return await tab.get("/login/passkey?ticket=" + shown.fields["ticket"])


PAGES: dict[str, tuple[Callable[[Tab, Workbench], Awaitable[Shown]], int]] = {
    "login": (login, 200),
    "wrong password": (lambda tab, _: sign_in(tab, password="wrong"), 401),
    "consent": (consent, 200),
    "account": (account, 200),
    "account/profile": (section("profile"), 200),
    "wrong profile": (section("profile", picture=MARKUP, street_address=MARKUP), 422),
    "account/download": (section("download"), 200),
    "account/delete": (section("delete"), 200),
    "wrong name": (section("delete", confirm=MARKUP), 422),
    "account deleted": (lambda tab, _: tab.get("/account/deleted"), 200),
    "account/identities": (identities, 200),
    "provider gone": (provider_gone, 424),
    "login/second-factor": (second_factor, 200),
    "account/second-factors": (second_factors, 200),
    "account/passkeys": (passkeys, 200),
    "wrong passkey": (section("passkeys", act="add", credential=MARKUP), 401),
    "login/passkey": (passkey_alone, 200),
    "setting up a second factor": (setting_up, 200),
    "recovery codes": (recovery_codes, 200),
    "password/forgot": (lambda tab, _: tab.get("/password/forgot"), 200),
    "password/forgot/sent": (lambda tab, _: tab.get("/password/forgot/sent"), 200),
    "password/reset": (reset, 200),
    "spent link": (lambda tab, _: tab.get("/password/reset"), 400),
    "password/new": (demanded, 200),
    "account/password": (lambda tab, _: own(tab, "/account/password"), 200),
    "account/address": (lambda tab, _: own(tab, "/account/address"), 200),
    "account/address/confirm": (new_address, 200),
    "account/sessions": (account_sessions, 200),
    "login/sessions": (login_sessions, 200),
    "form_post": (form_post, 200),
    "not found": (lambda tab, _: tab.get("/nowhere", Accept="text/html,*/*;q=0.8"), 404),
    "outage": (outage, 503),
    "unknown client": (lambda tab, _: tab.get(authorize(client_id="nobody")), 400),
    "signup": (sign_up, 200),
    "signup, wrong address": (lambda tab, bench: sign_up(tab, bench, MARKUP), 422),
    "signup, sent": (sign_up_sent, 200),
    "signup/verify": (sign_up_link, 200),
    "signup, refused": (sign_up_refused, 422),
    "signup, stale link": (sign_up_without_link, 400),
    "console": (console("/console"), 200),
    "console/clients": (console("/console/clients"), 200),
    "console, a client": (console("/console/clients?id=shop"), 200),
    "console, no client": (console(f"/console/clients?id={quote(MARKUP)}"), 404),
    "console/users": (console("/console/users?q=alice"), 200),
    "console/keys": (console("/console/keys"), 200),
    "console/policy": (console("/console/policy"), 200),
    "console/revocations": (console("/console/revocations?by=client&of=shop"), 200),
    "console, nothing to revoke": (console(f"/console/revocations?by=client&of={quote(MARKUP)}"), 400),
    "console/audit": (console("/console/audit"), 200),
    "console, no instant": (console(f"/console/audit?since={quote(MARKUP)}"), 400),
    "console/explain": (console("/console/explain?hours=1"), 200),
    "console, no story": (console(f"/console/explain?request={quote(MARKUP)}"), 200),
    "console, no operator": (lambda tab, _: own(tab, "/console"), 404),
    "stale ticket": (lambda tab, _: tab.get("/login?ticket=x"), 400),
}


LEAD_AWAY = {"login", "login/passkey", "login/sessions", "login/second-factor", "consent", "form_post"}
