"""What pages keep, each of them: headers, forms, cookies, and nothing of a stranger's as markup."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from tests.unit.http.browsing import Tab
from tests.unit.http.page_rules import require_rules
from tests.unit.http.page_ways import (
    BROWSER,
    LEAD_AWAY,
    MARKUP,
    PAGES,
    REDIRECT,
    SESSION,
    authorize,
    consent,
    sign_in,
)
from tests.unit.http.signing_up import STRONG
from tests.workbench import ISSUER, PASSWORD, Workbench


@pytest.fixture
async def address(bench: Workbench) -> AsyncIterator[str]:
    """The service with the client ``shop``, whose name and links are an attacker's."""
    await bench.client(
        "shop",
        name=f"Shop {MARKUP}",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        redirect_uris=(REDIRECT,),
        relying_party=RelyingParty(logo_uri="https://cdn.example/logo.png"),
    )
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.runner.cleanup()


@pytest.fixture
def tab(address: str) -> Tab:
    return Tab(address)


@pytest.mark.parametrize("name", PAGES)
async def test_every_page_keeps_the_rules(bench: Workbench, tab: Tab, name: str) -> None:
    way, status = PAGES[name]
    shown = await way(tab, bench)
    assert shown.status == status
    require_rules(shown, "https://shop.example" if name in LEAD_AWAY else "", image=name == "consent")


FORMS = [
    "login/passkey",
    "account/passkeys",
    "login/second-factor",
    "account/second-factors",
    "signup",
    "signup/verify",
    "login",
    "login/sessions",
    "account/sessions",
    "consent",
    "account",
    "password/forgot",
    "password/reset",
    "password/new",
    "account/password",
    "account/address",
    "account/address/confirm",
    "account/profile",
    "account/download",
    "account/delete",
    "account/identities",
]
TYPED = {
    "login": {"username": "alice", "password": PASSWORD},
    "login/passkey": {"act": "cancel"},
    "account/passkeys": {"act": "remove"},
    "login/second-factor": {"act": "recovery", "code": "00000-00000"},
    "consent": {"answer": "allow"},
    "account/second-factors": {"act": "begin"},
    "account": {"withdraw": "shop"},
    "signup": {"email": "max@example.com"},
    "signup/verify": {"username": "jo", "password": STRONG},
    "password/forgot": {"email": "alice@example.com"},
    "account/address": {"email": "alice@new.example"},
    "account/address/confirm": {},
    "login/sessions": {"end": "others"},
    "account/sessions": {"end": "others"},
    "account/profile": {"name": "Mallory"},
    "account/download": {},
    "account/delete": {"confirm": "alice"},
}
SET = {"old": PASSWORD, "password": "seven green umbrellas", "again": "seven green umbrellas"}
FORGERIES = {
    "no token": ({"csrf": None}, {}, Rule.CSRF_TOKEN),
    "an empty token": ({"csrf": ""}, {}, Rule.CSRF_TOKEN),
    "another browser's token": ({"csrf": "theirs"}, {}, Rule.CSRF_TOKEN),
    "a foreign origin": ({}, {"Origin": "https://evil.example"}, Rule.CROSS_SITE_FORM),
    "an origin that begins alike": ({}, {"Origin": f"{ISSUER}.evil.example"}, Rule.CROSS_SITE_FORM),
    "our host over http": ({}, {"Origin": ISSUER.replace("https", "http")}, Rule.CROSS_SITE_FORM),
    "a sandboxed origin": ({}, {"Origin": "null"}, Rule.CROSS_SITE_FORM),
    "another site": ({}, {"Sec_Fetch_Site": "cross-site"}, Rule.CROSS_SITE_FORM),
    "a sibling": ({}, {"Sec_Fetch_Site": "same-site"}, Rule.CROSS_SITE_FORM),
    "no cookie": ({}, {"Cookie": ""}, Rule.CSRF_TOKEN),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("form", FORMS)
async def test_a_forged_form_does_nothing(bench: Workbench, address: str, form: str, forgery: str) -> None:
    tab, other = Tab(address), Tab(address)
    values = dict((await PAGES[form][0](tab, bench)).fields)
    values |= TYPED.get(form, SET)
    theirs = (await other.get("/login")).fields["csrf"]
    values.setdefault("csrf", (await tab.get("/login")).fields["csrf"])
    changes, headers, rule = FORGERIES[forgery]
    for name, value in changes.items():
        values.pop(name)
        if value is not None:
            values[name] = theirs if value == "theirs" else value
    if "Cookie" in headers:
        tab.jar.pop(BROWSER)
        headers = {}
    bench.events.clear()
    waiting = len(bench.record.tables.outbox)
    session = tab.jar.get(SESSION)
    refused = await tab.post(f"/{form}", values, **headers)
    assert refused.status == 403
    assert not refused.location
    assert tab.jar.get(SESSION) == session
    assert bench.events == []
    assert len(bench.record.tables.outbox) == waiting
    bench.request_log.flush()
    assert f'"rule":"{rule}"' in bench.lines.getvalue().splitlines()[-1]


async def test_our_own_form_is_taken_with_what_browsers_say_of_it(tab: Tab) -> None:
    shown = await tab.get("/login")
    form = {**shown.fields, "username": "alice", "password": PASSWORD}
    answer = await tab.post("/login", form, Origin=ISSUER, Sec_Fetch_Site="same-origin")
    assert (answer.status, answer.location) == (303, "/account")


async def test_cookies_are_for_this_host_alone_and_out_of_reach_of_scripts(tab: Tab) -> None:
    first = await tab.get("/login")
    form = {**first.fields, "username": "alice", "password": PASSWORD}
    lines = [first.headers["Set-Cookie"], (await tab.post("/login", form)).headers["Set-Cookie"]]
    for name, line in zip((BROWSER, SESSION), lines, strict=True):
        assert re.fullmatch(name + r"=[\w-]{43}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure", line)


async def test_a_planted_session_never_becomes_a_real_one(bench: Workbench, address: str) -> None:
    tab, thief = Tab(address, {SESSION: "p" * 43}), Tab(address, {SESSION: "p" * 43})
    assert (await sign_in(tab)).location == "/account"
    assert tab.jar[SESSION] != "p" * 43
    assert (await thief.get("/account")).location.startswith("/login?ticket=")
    first = tab.jar[SESSION]
    bench.clock.advance(5)
    await sign_in(tab)
    await bench.follow()
    assert tab.jar[SESSION] != first
    assert (await Tab(address, {SESSION: first}).get("/account")).location.startswith("/login?ticket=")
    assert (await tab.get("/account")).status == 200


async def test_a_cookie_that_stands_twice_counts_as_none(tab: Tab) -> None:
    await sign_in(tab)
    tab.jar[f"x=1; {SESSION}"] = "p" * 43
    assert (await tab.get("/account")).location.startswith("/login?ticket=")


@pytest.mark.parametrize("name", [BROWSER, SESSION])
async def test_a_cookie_that_is_not_text_counts_as_none(bench: Workbench, address: str, name: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    cookie = name.encode() + b"=" + b"b" * 42 + b"\xff"
    writer.write(b"GET /login HTTP/1.1\r\nHost: here\r\nConnection: close\r\nCookie: " + cookie + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert BROWSER.encode() in answer.partition(b"\r\n\r\n")[0]
    assert bench.log.calls == []


@pytest.mark.parametrize("name", ["next", "redirect", "redirect_uri", "return_to", "destination", "continue"])
async def test_nothing_in_a_request_chooses_where_a_sign_in_leads(tab: Tab, name: str) -> None:
    evil = "https://evil.example/"
    shown = await tab.get(f"/login?{name}={quote(evil)}")
    form = {**shown.fields, "username": "alice", "password": PASSWORD, name: evil}
    answer = await tab.post(f"/login?{name}={quote(evil)}", form, Host="evil.example", X_Forwarded_Host="evil.example")
    assert answer.location == "/account"


@pytest.mark.parametrize("path", ["/login", "/login/passkey", "/login/second-factor", "/consent", "/oauth/authorize"])
async def test_a_ticket_of_another_browser_is_refused(bench: Workbench, address: str, path: str) -> None:
    tab, other = Tab(address), Tab(address)
    ticket = (await consent(tab, bench)).fields["ticket"]
    await sign_in(other)
    refused = await other.get(f"{path}?ticket={ticket}")
    assert refused.status == 400
    assert "not valid in this browser" in refused.body


LINES = "x\r\nSet-Cookie: evil=1\r\n\r\n<b>"


@pytest.mark.parametrize("payload", [MARKUP, LINES], ids=["markup", "header lines"])
@pytest.mark.parametrize(
    "where", ["client_id", "redirect_uri", "response_mode", "state", "login_hint", "ui_locales", "scope", "unknown"]
)
async def test_nothing_of_a_request_comes_back_as_markup_or_header(tab: Tab, where: str, payload: str) -> None:
    shown = await tab.get(authorize(**{where: payload}), Accept="text/html")
    for page in (shown, await tab.follow(shown)):
        assert "<script>" not in page.body
        assert "<b>" not in page.body
        assert "evil" not in page.headers.get("Set-Cookie", "")
        assert "\n" not in page.location


@pytest.mark.parametrize("path", ["/login?{}", "/account?{}", "/nowhere?{}", "/nowhere/{}", "/static/{}"])
async def test_nothing_of_a_url_comes_back_as_markup(tab: Tab, path: str) -> None:
    shown = await tab.follow(await tab.get(path.format(quote(f"{MARKUP}{LINES}")), Accept="text/html"))
    assert "alert(1)" not in shown.body
    assert "evil" not in shown.body


async def test_a_name_that_did_not_work_comes_back_as_text(tab: Tab) -> None:
    shown = await tab.get("/login")
    again = await tab.post("/login", {**shown.fields, "username": MARKUP, "password": f"wrong{MARKUP}"})
    assert 'value="&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in again.body
    assert again.body.count("alert(1)") == 1, "the password never comes back"


@pytest.mark.parametrize(
    "step",
    [
        *("login", "login/second-factor", "consent", "account", "account/second-factors"),
        *("account/profile", "account/download", "account/delete", "authorize"),
    ],
)
async def test_while_the_record_is_gone_a_page_says_so_and_when_to_come_again(
    bench: Workbench, tab: Tab, step: str
) -> None:
    fields = (await PAGES[step][0](tab, bench)).fields if step != "authorize" else {}
    bench.clock.advance(100_000 if step == "authorize" else 0)
    bench.board.down = True
    if step == "authorize":
        shown = await tab.get(authorize(client_id="never-seen"), Accept_Language="de")
    else:
        values = fields | TYPED[step]
        values.setdefault("csrf", (await tab.get("/login")).fields.get("csrf", ""))
        shown = await tab.post(f"/{step}", values, Accept_Language="de")
    assert shown.status == 503
    assert int(shown.headers["Retry-After"]) > 0
    assert "Im Augenblick nicht verfügbar" in shown.body
    assert shown.headers["X-Request-Id"] in shown.body
    assert SESSION not in shown.headers.get("Set-Cookie", "")


async def test_programs_get_json_where_there_is_nothing_and_people_a_page(tab: Tab) -> None:
    for accept in ("*/*", "application/json", "image/avif,image/webp,*/*"):
        answer = await tab.get("/nowhere", Accept=accept)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    form = await tab.post("/nowhere", {}, Accept="text/html")
    assert (form.status, form.headers["Content-Type"]) == (404, "application/json")
    page = await tab.get("/nowhere", Accept="text/html,application/xhtml+xml,*/*;q=0.8", Accept_Language="de-AT")
    assert "Seite nicht gefunden" in page.body
    assert "Set-Cookie" not in page.headers
