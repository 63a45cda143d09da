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
