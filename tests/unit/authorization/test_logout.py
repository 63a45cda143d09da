"""Signing out: at a client's request, by our own form, and what it ends. The rows of the Foundation's logout plans."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.core import base64url
from authcenter.core.client import Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import ALGORITHMS, Alg
from tests.unit.authorization.test_authorize import REDIRECT, SESSION, VERIFIER, Outcome, Visitor, shop
from tests.workbench import Answer, Workbench, decoded, private_key

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
    signing_input = hint.rpartition(".")[0]
    signature = ALGORITHMS[Alg.RS256].sign(private_key(Alg.RS256, 7), signing_input.encode())
    return f"{signing_input}.{base64url.encode(signature)}"


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
    hint = leaver.bench.signer.jwt({**claims, "sub": sub})
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)
    assert outcome.location == (OUT if same else "")
    assert await leaver.signed_in() is not same


@pytest.mark.parametrize("name", ["access_token", "logout_token"])
async def test_another_token_of_ours_is_no_hint(leaver: Leaver, name: str) -> None:
    tokens = await leaver.tokens()
    claims = json.loads(decoded(tokens.members["id_token"].split(".")[1]))
    token = tokens.access if name == "access_token" else leaver.bench.signer.jwt(claims, "logout+jwt")
    assert (await leaver.leave(id_token_hint=token, post_logout_redirect_uri=OUT)).status == 400
