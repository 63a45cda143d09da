"""The authorization endpoint, asked as a browser asks it: what leads to a page, to a refusal, to a code."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest
from msgspec import structs
from yarl import URL

from authcenter.accounts.sessions import Sessions
from authcenter.authorization.reading import Asked, Way
from authcenter.authorization.redirects import registered
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.digest import Digest
from authcenter.core.form import Form
from authcenter.core.relying_party import RelyingParty
from authcenter.core.secret import Secret
from authcenter.http.authorize import AuthorizationEndpoint
from authcenter.http.pages.browser import new_session_cookie
from authcenter.jose.algorithms import Alg
from authcenter.proofs.pkce import challenge_of
from tests.workbench import API, ISSUER, ORIGIN, OTHER_API, Workbench, stored_key

REDIRECT = "https://shop.example/cb?keep=1"
VERIFIER = "v" * 43
GOOD = {
    "client_id": "shop",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "openid email",
    "state": "s t/ü&",
    "nonce": "n",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


BROWSER, SESSION = "__Host-authcenter_browser", "__Host-authcenter_session"


class Visitor:
    """A browser at the authorization endpoint. It follows no redirects."""

    def __init__(self, bench: Workbench, address: str) -> None:
        self.bench, self.address = bench, address
        self.jar: dict[str, str] = {}
        self.sealed = ""

    @property
    def endpoint(self) -> AuthorizationEndpoint:
        frame: Any = self.bench.service.public.__self__  # type: ignore[attr-defined]
        cells = frame.router.find("/oauth/authorize").handlers["GET"].__closure__
        owners = (getattr(cell.cell_contents, "__self__", None) for cell in cells)
        return next(owner for owner in owners if isinstance(owner, AuthorizationEndpoint))

    @property
    def sessions(self) -> Sessions:
        return self.endpoint.sessions

    async def sign_in(self, *, ago: float = 0.0) -> None:
        cookie, digest = new_session_cookie()
        self.bench.clock.advance(-ago)
        await self.sessions.sign_in(self.bench.alice, Digest(digest), ORIGIN, amr=["pwd"])
        self.bench.clock.advance(ago)
        self.jar[SESSION] = cookie

    async def consent(self, client: str = "shop", **changes: Any) -> None:
        """Agree beforehand to what a good request asks for."""
        checks = self.endpoint.checks
        form = _form({**GOOD, "client_id": client, **changes})
        to = checks.answerable(form, await checks.client(form))
        asked = await checks.check(Asked(form, Way.AUTHORIZE), to)
        await self.endpoint.decision.consents.grant(self.bench.alice.subject, asked, to.client, ORIGIN)

    async def authorize(self, *, post: bool = False, resources: tuple[str, ...] = (), **changes: Any) -> "Outcome":
        asked = [(name, value) for name, value in {**GOOD, **changes}.items() if value is not None]
        asked += [("resource", resource) for resource in resources]
        if not post:
            return await self._go("GET", "/oauth/authorize", params=asked)
        answer = await self._go("POST", "/oauth/authorize", data=asked, cookies={})
        if answer.location.startswith("/oauth/authorize?posted="):
            return await self._go("GET", answer.location)
        return answer

    async def back(self, **answers: Any) -> "Outcome":
        """Come back from the page that was asked for last, with what was answered there."""
        tickets, browser = self.endpoint.tickets, self.jar[BROWSER]
        ticket = structs.replace(tickets.open(self.sealed, browser), **answers)
        if ticket.consent == "granted":
            client = await self.bench.stores.clients.find(ticket.request.client_id)
            await self.endpoint.decision.consents.grant(self.bench.alice.subject, ticket.request, client, ORIGIN)
        return await self._go("GET", f"/oauth/authorize?ticket={tickets.seal(ticket, browser)}")

    async def _go(self, method: str, path: str, cookies: dict[str, str] | None = None, **options: Any) -> "Outcome":
        jar = self.jar if cookies is None else cookies
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, URL(self.address + path, encoded=True), allow_redirects=False, headers=headers, **options
            ) as answer,
        ):
            outcome = Outcome(answer, await answer.text())
        for line in answer.headers.getall("Set-Cookie", ()):
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value
        if outcome.page in {"/login", "/consent"}:
            self.sealed = parse_qs(urlsplit(outcome.location).query)["ticket"][0]
        return outcome


class Outcome:
    """What came back."""

    def __init__(self, answer: aiohttp.ClientResponse, body: str) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, body
        self.location = answer.headers.get("Location", "")

    @property
    def page(self) -> str:
        """Which of our pages it leads to; empty: none."""
        return urlsplit(self.location).path if self.location.startswith("/") else ""

    @property
    def told(self) -> dict[str, str]:
        """What the client is told, by whichever mode."""
        if self.location:
            parts = urlsplit(self.location)
            pairs = parse_qsl(parts.fragment or parts.query, strict_parsing=True, keep_blank_values=True)
        else:
            pairs = [
                (html.unescape(name), html.unescape(value))
                for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', self.body)
            ]
        assert len(pairs) == len(dict(pairs))
        return dict(pairs)


def _form(values: dict[str, str]) -> Any:
    return Form(values)


@pytest.fixture
async def shop(bench: Workbench) -> Workbench:
    party = {"grants": frozenset({"authorization_code", "refresh_token"})}
    scopes = frozenset({"openid", "email", "offline_access", "read"})
    await bench.client("shop", scopes=scopes, audiences=(API, OTHER_API), redirect_uris=(REDIRECT,), **party)
    await bench.client("rp", profile=Profile.OIDC, scopes=scopes, redirect_uris=(REDIRECT, REDIRECT + "2"), **party)
    await bench.client("ours", first_party=True, scopes=scopes, redirect_uris=(REDIRECT,), **party)
    await bench.client(
        "spa",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        scopes=scopes,
        redirect_uris=("http://127.0.0.1/cb", "com.example.app:/cb"),
        **party,
    )
    await bench.client(
        "pair",
        scopes=scopes,
        redirect_uris=(REDIRECT,),
        relying_party=RelyingParty(subject_type="pairwise", sector="shop.example"),
        **party,
    )
    key = stored_key(Alg.RS256)
    bench.record.tables.keys[key.kid] = key
    bench.core.keys._rows = []
    await bench.core.keys.reload()
    return bench


@pytest.fixture
def visitor(shop: Workbench, web: aiohttp.ClientSession) -> Visitor:
    return Visitor(shop, str(web._base_url).rstrip("/"))


async def test_nobody_signed_in_is_asked_to_then_to_consent_then_a_code_goes_to_the_client(visitor: Visitor) -> None:
    assert (await visitor.authorize()).page == "/login"
    await visitor.sign_in()
    assert (await visitor.back()).page == "/consent"
    answered = await visitor.back(consent="granted")
    assert answered.status == 303
    assert answered.location.startswith(REDIRECT + "&")
    assert set(answered.told) == {"keep", "code", "state", "iss"}
    assert answered.told["state"] == GOOD["state"]
    assert answered.told["iss"] == ISSUER
    tokens = await visitor.bench.ask(
        "authorization_code",
        client="shop",
        code=answered.told["code"],
        redirect_uri=REDIRECT,
        code_verifier=VERIFIER,
    )
    assert tokens.claims["sub"] == visitor.bench.alice.subject
    assert "id_token" in tokens.members


async def test_what_was_agreed_to_is_not_asked_again_but_more_is(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert "code" in (await visitor.authorize()).told
    assert (await visitor.authorize(scope="openid email read")).page == "/consent"
    assert (await visitor.authorize(claims='{"userinfo": {"name": null}}')).page == "/consent"
    assert (await visitor.authorize(resources=(OTHER_API,))).page == "/consent"
    assert (await visitor.authorize(prompt="consent")).page == "/consent"


async def test_who_says_no_is_not_asked_again(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize()
    assert (await visitor.back(consent="denied")).told["error"] == "access_denied"


async def test_our_own_applications_need_no_consent(visitor: Visitor) -> None:
    await visitor.sign_in()
    assert "code" in (await visitor.authorize(client_id="ours")).told


@pytest.mark.parametrize(
    ("change", "resources"),
    [
        pytest.param({"client_id": None}, (), id="no client"),
        pytest.param({"client_id": "nobody"}, (), id="unknown client"),
        pytest.param({"redirect_uri": "https://evil.example/cb"}, (), id="foreign redirect URI"),
        pytest.param({"redirect_uri": REDIRECT + "&x=1"}, (), id="more query"),
        pytest.param({"redirect_uri": REDIRECT.replace("shop.", "SHOP.")}, (), id="another case"),
        pytest.param({"redirect_uri": REDIRECT.replace("cb", "%63b")}, (), id="encoded"),
        pytest.param({"redirect_uri": REDIRECT + "#f"}, (), id="fragment"),
        pytest.param({"redirect_uri": REDIRECT.replace("//", "//u@")}, (), id="user info"),
        pytest.param({"redirect_uri": REDIRECT.replace("/cb", "/cb/..")}, (), id="path"),
        pytest.param({"redirect_uri": REDIRECT.replace("example/", "example:444/")}, (), id="port"),
        pytest.param({"client_id": "rp", "redirect_uri": None}, (), id="none sent by an OpenID client"),
        pytest.param(
            {"client_id": "spa", "redirect_uri": "http://localhost:5000/cb"}, (), id="localhost for 127.0.0.1"
        ),
        pytest.param({"client_id": "spa", "redirect_uri": "https://127.0.0.1:5000/cb"}, (), id="loopback by https"),
    ],
)
async def test_a_client_or_redirect_uri_that_is_not_known_is_told_to_the_person(
    visitor: Visitor, change: dict[str, Any], resources: tuple[str, ...]
) -> None:
    outcome = await visitor.authorize(**change)
    assert (outcome.status, outcome.location) == (400, "")
    assert outcome.headers["Content-Type"].startswith("text/html")
    assert "evil" not in outcome.body


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"response_type": None}, "invalid_request", id="no response type"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="implicit"),
        pytest.param({"response_type": "code id_token"}, "unsupported_response_type", id="hybrid"),
        pytest.param({"response_mode": "web_message"}, "invalid_request", id="unknown mode"),
        pytest.param({"scope": "openid admin"}, "invalid_scope", id="scope of somebody else"),
        pytest.param({"scope": 'a"b'}, "invalid_scope", id="malformed scope"),
        pytest.param({"code_challenge": None, "code_challenge_method": None}, "invalid_request", id="no PKCE"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="plain"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="no method, which means plain"),
        pytest.param({"code_challenge": "short"}, "invalid_request", id="challenge"),
        pytest.param({"code_challenge": None}, "invalid_request", id="method without challenge"),
        pytest.param({"prompt": "none login"}, "invalid_request", id="none and login"),
        pytest.param({"max_age": "soon"}, "invalid_request", id="max_age"),
        pytest.param({"claims": "[]"}, "invalid_request", id="claims no object"),
        pytest.param({"claims": '{"userinfo": {"name": 1}}'}, "invalid_request", id="claims malformed"),
        pytest.param({"claims": "[" * 2_000}, "invalid_request", id="claims nested"),
        pytest.param({"id_token_hint": "a.b.c"}, "invalid_request", id="hint"),
        pytest.param({"nonce": "n" * 3_000}, "invalid_request", id="nonce too long"),
        pytest.param({"prompt": "none"}, "login_required", id="silently"),
        pytest.param(
            {
                "client_id": "spa",
                "redirect_uri": "com.example.app:/cb",
                "code_challenge": None,
                "code_challenge_method": None,
            },
            "invalid_request",
            id="public without PKCE",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_what_else_is_wrong_is_told_to_the_client_with_state_and_issuer(
    visitor: Visitor, change: dict[str, Any], error: str, mode: str
) -> None:
    outcome = await visitor.authorize(**{"response_mode": mode, **change})
    assert outcome.told["error"] == error
    assert outcome.told["state"] == GOOD["state"]
    assert outcome.told["iss"] == ISSUER
    if mode == "form_post" and "response_mode" not in change:
        assert outcome.status == 200
        assert "form-action 'self' " in outcome.headers["Content-Security-Policy"]


async def test_an_openid_client_with_a_secret_may_do_without_pkce(visitor: Visitor) -> None:
    await visitor.sign_in()
    outcome = await visitor.authorize(client_id="rp", code_challenge=None, code_challenge_method=None)
    assert outcome.page == "/consent"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", "com.example.app:/cb"])
async def test_a_native_app_may_listen_at_any_port_of_the_loopback_address(visitor: Visitor, uri: str) -> None:
    assert (await visitor.authorize(client_id="spa", redirect_uri=uri)).page == "/login"


@pytest.mark.parametrize(
    ("uri", "known", "same"),
    [
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", True),
        ("http://[::1]:1/cb", "http://[::1]/cb", True),
        ("http://127.0.0.1:1/cb?x", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/CB", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1@evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:\u0661/cb", "http://127.0.0.1/cb", False),
        ("http://localhost:1/cb", "http://localhost:2/cb", False),
        ("HTTP://127.0.0.1:1/cb", "http://127.0.0.1/cb", False),
    ],
)
def test_only_the_port_of_a_loopback_address_may_differ(uri: str, known: str, same: bool) -> None:
    assert registered(uri, (known,)) is same


async def test_prompt_login_asks_even_who_is_signed_in_and_only_once(visitor: Visitor) -> None:
    await visitor.sign_in(ago=10)
    await visitor.consent()
    assert (await visitor.authorize(prompt="login")).page == "/login"
    assert (await visitor.back()).page == "/login"
    await visitor.sign_in()
    assert "code" in (await visitor.back()).told


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
async def test_a_sign_in_of_the_same_second_is_not_taken_for_a_new_one(visitor: Visitor, asked: dict[str, str]) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert (await visitor.authorize(**asked)).page == "/login"
    assert (await visitor.back()).page == "/login"
    visitor.bench.clock.advance(1)
    await visitor.sign_in()
    assert "code" in (await visitor.back()).told


@pytest.mark.parametrize(("max_age", "asked"), [("30", False), ("9", True), ("0", True)])
async def test_a_sign_in_too_long_ago_is_asked_for_again(visitor: Visitor, max_age: str, asked: bool) -> None:
    await visitor.sign_in(ago=10)
    await visitor.consent()
    outcome = await visitor.authorize(max_age=max_age)
    assert (outcome.page == "/login") is asked
    if asked:
        await visitor.sign_in()
        visitor.bench.clock.advance(3)
        assert "code" in (await visitor.back()).told


async def test_an_account_is_chosen_once(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert (await visitor.authorize(prompt="select_account")).page == "/login"
    assert "code" in (await visitor.back(account_chosen=True)).told


@pytest.mark.parametrize(
    ("prepare", "change", "error"),
    [
        pytest.param((), {}, "login_required", id="nobody"),
        pytest.param(("sign_in",), {}, "consent_required", id="no consent yet"),
        pytest.param(("sign_in", "consent"), {"max_age": "0"}, "login_required", id="too long ago"),
    ],
)
async def test_prompt_none_shows_no_page(
    visitor: Visitor, prepare: tuple[str, ...], change: dict[str, str], error: str
) -> None:
    for act in prepare:
        await getattr(visitor, act)()
    visitor.bench.clock.advance(5)
    assert (await visitor.authorize(prompt="none", **change)).told["error"] == error


async def test_prompt_none_is_answered_with_a_code_where_nothing_is_missing(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert "code" in (await visitor.authorize(prompt="none")).told


async def test_a_hint_means_one_person(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    code = (await visitor.authorize()).told["code"]
    tokens = await visitor.bench.ask(
        "authorization_code", client="shop", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    hint = tokens.members["id_token"]
    visitor.bench.clock.advance(1_000)
    assert "code" in (await visitor.authorize(id_token_hint=hint, prompt="none")).told
    assert (await visitor.authorize(id_token_hint=hint, client_id="ours")).told["error"] == "invalid_request"
    other = '{"id_token": {"sub": {"value": "usr_bob"}}}'
    assert (await visitor.authorize(claims=other, prompt="none")).told["error"] == "login_required"
    assert (await visitor.authorize(claims=other)).page == "/login"
    await visitor.sign_in()
    assert (await visitor.back()).told["error"] == "login_required"


async def test_a_pairwise_client_meets_its_own_name(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent("pair")
    names = set()
    for _ in range(2):
        code = (await visitor.authorize(client_id="pair")).told["code"]
        tokens = await visitor.bench.ask(
            "authorization_code", client="pair", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
        )
        names.add(tokens.claims["sub"])
    assert len(names) == 1
    assert visitor.bench.alice.subject not in names


async def test_a_posted_request_goes_round_as_a_get_and_finds_the_session(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    visitor.jar[BROWSER] = before = "b" * 43
    assert "code" in (await visitor.authorize(post=True)).told
    assert visitor.jar[BROWSER] == before
    assert (await visitor.authorize(post=True, response_type="token")).told["error"] == "unsupported_response_type"
    assert (await visitor.authorize(post=True, client_id="nobody")).status == 400


async def test_long_states_and_nonces_survive(visitor: Visitor) -> None:
    await visitor.sign_in()
    state = "".join(chr(33 + number % 90) for number in range(1_000))
    await visitor.authorize(state=state, nonce="n" * 1_000)
    assert (await visitor.back(consent="granted")).told["state"] == state


async def test_the_ticket_of_another_browser_is_worth_nothing(visitor: Visitor) -> None:
    await visitor.authorize()
    stolen = visitor.sealed
    other = Visitor(visitor.bench, visitor.address)
    await other.sign_in()
    outcome = await other._go("GET", f"/oauth/authorize?ticket={stolen}")
    assert (outcome.status, outcome.location) == (400, "")


async def test_while_the_record_is_gone_the_person_is_asked_to_come_back(visitor: Visitor) -> None:
    await visitor.sign_in()
    visitor.bench.board.down = True
    outcome = await visitor.authorize()
    assert outcome.status == 503
    assert outcome.headers["Retry-After"]
    assert outcome.headers["Content-Type"].startswith("text/html")


async def test_how_long_a_code_lives_is_the_policys_to_say(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    for seconds in (90, 5):
        visitor.bench.offer(f"tokens: {{authorization_code_ttl: {seconds}}}")
        await visitor.authorize()
        code = [*visitor.bench.record.tables.codes.values()][-1]
        assert (code.expires_at - code.issued_at).total_seconds() == seconds


async def test_what_one_person_agreed_to_is_not_given_for_the_next(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize()
    await visitor.back(consent="granted")
    bob = await visitor.bench.core.accounts.create("bob", "bob@example.com", Secret("a good password"), actor="tests")
    cookie, digest = new_session_cookie()
    await visitor.sessions.sign_in(bob, Digest(digest), ORIGIN, amr=["pwd"])
    visitor.jar[SESSION] = cookie
    tickets, browser = visitor.endpoint.tickets, visitor.jar[BROWSER]
    agreed = structs.replace(tickets.open(visitor.sealed, browser), consent="granted")
    assert (await visitor._go("GET", f"/oauth/authorize?ticket={tickets.seal(agreed, browser)}")).page == "/consent"
