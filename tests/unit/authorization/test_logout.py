"""Signing out: at a client's request, by our own form, and what it ends. The rows of the Foundation's logout plans."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.core.client import Profile
from authcenter.core.event import EventKind
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg
from authcenter.keys.vault import KeyVault
from authcenter.tokens.id_tokens import sign
from tests.unit.authorization.test_authorize import BROWSER, REDIRECT, SESSION, VERIFIER, Outcome, Visitor, shop
from tests.workbench import ISSUER, PASSPHRASE, Answer, Workbench, decoded, private_key, stored_key

__all__ = ["shop"]

OUT = "https://rp.example/out?keep=1"
STATE = "".join(chr(33 + number % 90) for number in range(128))
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
FRAME = re.compile(r'<iframe src="([^"]*)"')


class Leaver(Visitor):
    """A browser that signs out."""

    async def tokens(self, client: str = "rp1") -> Answer:
        """What a client of ours gets in this browser."""
        code = (await self.authorize(client_id=client, scope="openid")).told["code"]
        return await self.bench.ask(
            "authorization_code", client=client, code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
        )

    async def leave(self, **parameters: str) -> Outcome:
        return await self._go("GET", f"/oauth/logout?{urlencode(parameters)}")

    async def answer(self, page: Outcome, **changes: str) -> Outcome:
        """Press a button of the confirmation page."""
        hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page.body)}
        return await self._go("POST", "/oauth/logout", data={**hidden, "answer": "logout", **changes})

    async def signed_in(self) -> bool:
        """As a client sees it: ``prompt=none``."""
        told = (await self.authorize(client_id="rp1", scope="openid", prompt="none")).told
        assert told.get("error") in {None, "login_required"}
        return "code" in told


@pytest.fixture
async def leaver(shop: Workbench, web: aiohttp.ClientSession) -> Leaver:
    """A browser that alice is signed in with."""
    common: dict[str, Any] = {
        "grants": frozenset({"authorization_code", "refresh_token"}),
        "scopes": frozenset({"openid", "offline_access"}),
        "redirect_uris": (REDIRECT,),
        "first_party": True,
    }

    def party(name: str, **more: Any) -> RelyingParty:
        return RelyingParty(
            post_logout_redirect_uris=(OUT,), backchannel_logout_uri=f"https://{name}.example/back", **more
        )

    await shop.client("rp1", profile=Profile.OIDC, relying_party=party("rp1"), **common)
    await shop.client("rp2", relying_party=party("rp2"), **common)
    await shop.client("pair1", relying_party=party("pair1", subject_type="pairwise", sector="shop.example"), **common)
    for number, uri in enumerate(
        ("https://front.example/f?x=1", "https://front.example/g", "https://other.example:81")
    ):
        front = RelyingParty(frontchannel_logout_uri=uri, frontchannel_logout_session_required=True)
        uris = (REDIRECT, str(URL(uri).with_path("/cb").with_query(None)))
        await shop.client(f"front{number}", relying_party=front, **{**common, "redirect_uris": uris})
    await shop.client("quiet", **common)
    made = Leaver(shop, str(web._base_url).rstrip("/"))
    await made.sign_in()
    return made


def unsigned(hint: str) -> str:
    return "eyJhbGciOiJub25lIn0." + hint.split(".")[1] + "."


def foreign(hint: str) -> str:
    """Signed by a key of somebody else's, under our key's name."""
    claims = json.loads(decoded(hint.split(".")[1]))
    kid = json.loads(decoded(hint.split(".", maxsplit=1)[0]))["kid"]

    class Key:
        alg = Alg.RS256

        def header_segment(self, token_type: str) -> str:
            return hint.split(".", maxsplit=1)[0]

        def sign(self, data: bytes) -> bytes:
            from authcenter.jose.algorithms import ALGORITHMS  # noqa: PLC0415

            return ALGORITHMS[Alg.RS256].sign(private_key(Alg.RS256, 7), data)

    assert kid
    return sign(Key(), claims)  # type: ignore[arg-type]


REDIRECTED = [
    pytest.param({"state": STATE}, id="oidcc-rp-initiated-logout"),
    pytest.param({}, id="oidcc-rp-initiated-logout-no-state"),
    pytest.param({"client_id": "rp1", "ui_locales": "de", "logout_hint": "x"}, id="with its client_id too"),
]
REFUSED = [
    pytest.param({"post_logout_redirect_uri": "https://evil.example/"}, id="-bad-post-logout-redirect-uri"),
    pytest.param({"post_logout_redirect_uri": OUT + "&foo=bar"}, id="-query-added-to-post-logout-redirect-uri"),
    pytest.param({"id_token_hint": unsigned}, id="-modified-id-token-hint"),
    pytest.param({"id_token_hint": foreign}, id="-bad-id-token-hint"),
    pytest.param({"id_token_hint": None}, id="-no-id-token-hint"),
    pytest.param({"client_id": "rp2"}, id="hint of another client"),
    pytest.param({"id_token_hint": None, "client_id": "nobody"}, id="unknown client"),
    pytest.param({"id_token_hint": "x" * 5_000}, id="no token at all"),
    pytest.param({"post_logout_redirect_uri": OUT.replace("rp.", "RP.")}, id="another case"),
]
ASKED = [
    pytest.param({}, id="-no-params"),
    pytest.param({"state": STATE}, id="-only-state"),
]


def asked(hint: str, changes: dict[str, Any]) -> dict[str, str]:
    good = {"id_token_hint": hint, "post_logout_redirect_uri": OUT}
    made = {name: change(hint) if callable(change) else change for name, change in {**good, **changes}.items()}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize("changes", REDIRECTED)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_that_proves_whom_it_means_gets_the_person_back_signed_out(
    leaver: Leaver, changes: dict[str, str], method: str
) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    leaver.bench.clock.advance(3_600)
    parameters = asked(hint, changes)
    if method == "GET":
        outcome = await leaver.leave(**parameters)
    else:
        posted = await leaver._go("POST", "/oauth/logout", data=parameters, cookies={})
        assert posted.status == 303
        assert await leaver.signed_in()
        outcome = await leaver._go("GET", posted.location)
    assert outcome.status == 303
    assert outcome.location.startswith(OUT)
    told = dict(parse_qsl(urlsplit(outcome.location).query))
    assert told == {"keep": "1", **({"state": changes["state"]} if "state" in changes else {})}
    assert leaver.jar[SESSION] == ""
    assert not await leaver.signed_in()


@pytest.mark.parametrize("changes", REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_wrong_is_told_to_the_person_and_leads_nowhere(
    leaver: Leaver, changes: dict[str, Any], method: str
) -> None:
    parameters = asked((await leaver.tokens()).members["id_token"], changes)
    if method == "GET":
        outcome = await leaver.leave(**parameters)
    else:
        outcome = await leaver._go("POST", "/oauth/logout", data=parameters, cookies={})
    assert (outcome.status, outcome.location) == (400, "")
    assert outcome.headers["Content-Type"].startswith("text/html")
    assert "Refresh" not in outcome.headers
    assert "evil" not in outcome.body
    assert await leaver.signed_in()


@pytest.mark.parametrize("changes", ASKED)
async def test_without_a_hint_the_person_is_asked_and_then_told(leaver: Leaver, changes: dict[str, str]) -> None:
    page = await leaver.leave(**changes)
    assert page.status == 200
    assert "alice" in page.body
    assert await leaver.signed_in()
    outcome = await leaver.answer(page)
    assert (outcome.status, outcome.location) == (200, "")
    assert "You are signed out" in outcome.body
    assert "Refresh" not in outcome.headers
    assert not await leaver.signed_in()


async def test_with_a_hint_alone_the_person_is_signed_out_and_told(leaver: Leaver) -> None:
    """``-no-post-logout-redirect-uri``"""
    hint = (await leaver.tokens()).members["id_token"]
    outcome = await leaver.leave(id_token_hint=hint)
    assert (outcome.status, outcome.location) == (200, "")
    assert not await leaver.signed_in()


async def test_a_client_without_a_hint_gets_back_whom_it_asked_for(leaver: Leaver) -> None:
    page = await leaver.leave(client_id="rp1", post_logout_redirect_uri=OUT, state="s", ui_locales="de")
    assert "Abmelden?" in page.body
    assert f"form-action 'self' {OUT.partition('/out')[0]}" in page.headers["Content-Security-Policy"]
    assert (await leaver.answer(page)).location == OUT + "&state=s"
    assert not await leaver.signed_in()


async def test_who_wants_to_stay_stays(leaver: Leaver) -> None:
    page = await leaver.leave(client_id="rp1", post_logout_redirect_uri=OUT)
    assert (await leaver.answer(page, answer="stay")).location == "/account"
    assert await leaver.signed_in()


async def test_the_hint_of_another_session_or_person_is_asked_about(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    other = Leaver(leaver.bench, leaver.address)
    await other.sign_in()
    page = await other.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)
    assert (page.status, page.location) == (200, "")
    assert await other.signed_in()
    assert (await other.answer(page)).location == OUT
    assert not await other.signed_in()
    assert await leaver.signed_in()


@pytest.mark.parametrize("client", ["rp1", "pair1"])
@pytest.mark.parametrize("same", [True, False])
async def test_a_hint_without_a_session_means_the_person_by_the_name_the_client_knows(
    leaver: Leaver, client: str, same: bool
) -> None:
    claims = json.loads(decoded((await leaver.tokens(client)).members["id_token"].split(".")[1]))
    del claims["sid"]
    sub = claims["sub"] if same else "usr_bob"
    hint = sign(leaver.bench.signer, {**claims, "sub": sub})
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)
    assert outcome.location == (OUT if same else "")
    assert await leaver.signed_in() is not same


@pytest.mark.parametrize("name", ["access_token", "logout_token"])
async def test_another_token_of_ours_is_no_hint(leaver: Leaver, name: str) -> None:
    tokens = await leaver.tokens()
    claims = json.loads(decoded(tokens.members["id_token"].split(".")[1]))
    token = tokens.access if name == "access_token" else sign(leaver.bench.signer, claims, "logout+jwt")
    assert (await leaver.leave(id_token_hint=token, post_logout_redirect_uri=OUT)).status == 400


async def test_nobody_signed_in_goes_on_where_the_client_proves_itself(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    stranger = Leaver(leaver.bench, leaver.address)
    assert (await stranger.leave(id_token_hint=hint, post_logout_redirect_uri=OUT, state="s")).location.startswith(OUT)
    page = await stranger.leave(client_id="rp1", post_logout_redirect_uri=OUT)
    assert (page.status, page.location) == (200, "")
    assert "Refresh" not in page.headers
    assert unescape(page.body).count(OUT) == 1
    assert (await stranger.leave()).status == 200


async def test_signing_out_ends_all_that_hangs_on_the_session(leaver: Leaver) -> None:
    bench = leaver.bench
    tokens = await leaver.tokens("rp2")
    assert await bench.active(tokens.access, "rp2")
    hint = (await leaver.tokens()).members["id_token"]
    await leaver.leave(id_token_hint=hint)
    await bench.follow()
    assert not await bench.active(tokens.access, "rp2")
    assert bench.ended(tokens.refresh)
    assert bench.kinds()[-1] == EventKind.SESSION_ENDED


async def test_what_hangs_on_a_session_ends_also_where_it_had_lapsed(leaver: Leaver) -> None:
    tokens = await leaver.tokens("rp2")
    leaver.bench.offer("sessions: {idle_ttl: 60}")
    leaver.bench.clock.advance(61)
    assert not await leaver.signed_in()
    assert (await leaver.leave(client_id="rp2", post_logout_redirect_uri=OUT)).status == 200
    assert leaver.bench.ended(tokens.refresh)


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        pytest.param({"csrf": ""}, {}, id="no token"),
        pytest.param({"csrf": "x"}, {}, id="wrong token"),
        pytest.param({}, {"Origin": "https://evil.example"}, id="another origin"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site"),
    ],
)
async def test_our_own_form_is_taken_from_our_own_page_alone(
    leaver: Leaver, changes: dict[str, str], headers: dict[str, str]
) -> None:
    page = await leaver.leave()
    hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page.body)}
    cookie = "; ".join(f"{name}={value}" for name, value in leaver.jar.items())
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            leaver.address + "/oauth/logout",
            data={**hidden, "answer": "logout", **changes},
            headers={"Cookie": cookie, **headers},
            allow_redirects=False,
        ) as answer,
    ):
        assert answer.status == 403
    assert await leaver.signed_in()


async def test_a_cross_site_form_signs_nobody_out_unasked(leaver: Leaver) -> None:
    posted = await leaver._go("POST", "/oauth/logout", data={"answer": "logout"}, cookies={})
    assert posted.status == 303
    page = await leaver._go("GET", posted.location)
    assert "alice" in page.body
    assert await leaver.signed_in()


@pytest.mark.parametrize("where", ["/login?ticket=", "/oauth/authorize?ticket=", "/consent?ticket="])
async def test_the_ticket_of_a_logout_opens_nothing_else(leaver: Leaver, where: str) -> None:
    page = await leaver.leave()
    ticket = dict(HIDDEN.findall(page.body))["ticket"]
    assert (await leaver._go("GET", where + ticket)).status == 400


async def test_the_ticket_of_another_browser_is_refused(leaver: Leaver) -> None:
    page = await leaver.leave()
    ticket = dict(HIDDEN.findall(page.body))["ticket"]
    other = Leaver(leaver.bench, leaver.address)
    await other.sign_in()
    own = await other.leave()
    assert (await other.answer(own, ticket=ticket)).status == 400
    assert await other.signed_in()


async def test_the_button_of_the_account_page_signs_out(leaver: Leaver) -> None:
    await leaver.leave()
    page = await leaver._go("GET", "/account")
    assert 'action="/oauth/logout"' in page.body
    csrf = dict(HIDDEN.findall(page.body))["csrf"]
    outcome = await leaver._go("POST", "/oauth/logout", data={"csrf": csrf})
    assert "You are signed out" in outcome.body
    assert not await leaver.signed_in()


async def test_clients_are_told_in_the_browser_before_it_goes_on(leaver: Leaver) -> None:
    for client in ("front0", "front1", "front2", "quiet"):
        await leaver.tokens(client)
    hint = (await leaver.tokens()).members["id_token"]
    sid = json.loads(decoded(hint.split(".")[1]))["sid"]
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT, state="s")
    assert (outcome.status, outcome.location) == (200, "")
    frames = [unescape(uri) for uri in FRAME.findall(outcome.body)]
    told = {"iss": ISSUER, "sid": sid}
    assert [uri.partition("?")[0] for uri in frames] == [
        "https://front.example/f",
        "https://front.example/g",
        "https://other.example:81",
    ]
    assert [dict(parse_qsl(urlsplit(uri).query)) for uri in frames] == [{"x": "1", **told}, told, told]
    policy = outcome.headers["Content-Security-Policy"]
    assert policy.endswith("frame-src https://front.example https://other.example:81")
    assert outcome.headers["Refresh"].partition("; ")[2] == f"url={OUT}&state=s"
    assert f'<a href="{OUT}&amp;state=s">' in outcome.body
    assert BROWSER in leaver.jar
    assert not await leaver.signed_in()


async def test_a_client_that_was_not_signed_in_to_is_not_told(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    assert (await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)).location == OUT


async def test_a_hint_by_a_key_that_no_longer_signs_still_counts(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    bench = leaver.bench
    newer = stored_key(Alg.RS256, 1)
    assert KeyVault([PASSPHRASE]).open(newer.private_pem) is not None
    bench.record.tables.keys[newer.kid] = newer
    await bench.core.keys.reload()
    assert (await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)).location == OUT


async def test_while_the_record_is_gone_nobody_is_signed_out_and_the_page_says_so(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    leaver.bench.board.down = True
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)
    assert outcome.status == 503
    assert leaver.jar[SESSION]
    leaver.bench.board.down = False
    assert await leaver.signed_in()
