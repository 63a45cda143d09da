"""Broken uses of tokens, each explained from its request id alone."""

import time
from typing import Any

import pytest

from authcenter.core.cut import CutKind
from authcenter.core.event import EventKind
from authcenter.keys.ring import SigningKey
from authcenter.wiring.core import Core
from tests.forgery import forged
from tests.integration.explain.site import AUDIENCE, GATEWAY, Site
from tests.integration.service.api import until

VALIDATE = f"/oauth/validate/{GATEWAY}"


@pytest.fixture(scope="module")
def key(site: Site) -> SigningKey:
    """The key that the service signs with: what it would have signed with another clock is made by this."""

    async def signer(core: Core) -> SigningKey:
        await core.keys.reload()
        return core.keys.ring.signer("ES256")

    found: SigningKey = site.service.operator.act(signer)
    return found


def made(site: Site, key: SigningKey, **claims: Any) -> str:
    now = int(time.time())
    good = {"iss": site.url, "sub": "shop", "client_id": "shop", "aud": AUDIENCE, "scope": "orders.read"}
    token = forged(key, {**good, "iat": now, "nbf": now, "exp": now + 900, **claims})
    site.service.api.secrets.add(token.rpartition(".")[2])
    return token


def introspected(site: Site, token: str) -> Any:
    answer = site.ask("POST", "/oauth/introspect", data={"token": token}, auth=("shop", str(site.shop.secret)))
    assert answer.json() == {"active": False}
    return site.explained(answer)


def test_a_refresh_token_that_was_superseded_and_then_its_family(site: Site) -> None:
    program, tokens = site.signed_in()
    redeemed = site.last.headers["X-Request-Id"]
    spent = tokens["refresh_token"]
    newer = program.refresh_token(f"{site.url}/oauth/token", spent)["refresh_token"]
    site.service.api.secrets.add(newer.rpartition(".")[2])
    refreshed = site.last.headers["X-Request-Id"]

    answer = site.refused(lambda: program.refresh_token(f"{site.url}/oauth/token", spent))
    replay = answer.headers["X-Request-Id"]
    issued = [f"token.issued by shop from 127.0.0.1 (request {request})" for request in (redeemed, refreshed)]
    story = site.explained(answer, *issued, "refresh.replayed: ")
    assert (story.rule, story.client) == ("refresh_replayed", "shop")
    assert story.facts("refresh_token_unspent")["spent_at"].startswith("20")
    assert all(text in story.evidence for text in issued)

    # The honest half of the two finds its own token dead, and is told why, when and by which request.
    story = site.explained(site.refused(lambda: program.refresh_token(f"{site.url}/oauth/token", newer)))
    assert story.rule == "refresh_family_ended"
    facts = story.facts("refresh_lifetime")
    assert facts["family_ended_for"] == "refresh token replayed"
    assert f"The family ended at {facts['family_ended_at']}: refresh token replayed." in story.evidence
    assert "refresh.replayed by shop from 127.0.0.1" in story.evidence
    assert f"(request {replay})" in story.evidence


def test_a_refresh_token_of_another_client(site: Site) -> None:
    _, tokens = site.signed_in()
    another = site.program(site.other)
    answer = site.refused(lambda: another.refresh_token(f"{site.url}/oauth/token", tokens["refresh_token"]))
    story = site.explained(answer)
    assert (story.rule, story.client) == ("refresh_foreign", "other")
    assert story.facts("refresh_client") == {"expected": "shop", "came": "other"}


def test_a_refresh_token_whose_family_an_operator_ended(site: Site) -> None:
    program, tokens = site.signed_in()
    family = site.service.api.claims(site.shop, tokens["access_token"])["fam"]
    site.operator("tokens", "revoke", "--family", family)
    story = site.explained(
        site.refused(lambda: program.refresh_token(f"{site.url}/oauth/token", tokens["refresh_token"]))
    )
    assert story.rule == "refresh_family_ended"
    assert "tokens.cut by cli:" in story.evidence
    assert "because: revoked by an operator" in story.evidence


def test_a_token_from_a_clock_that_runs_ahead(site: Site, key: SigningKey) -> None:
    ahead = int(time.time()) + 300
    story = introspected(site, made(site, key, jti="ahead", iat=ahead, nbf=int(time.time()), exp=ahead + 900))
    assert (story.rule, story.client) == ("token_issued_in_future", "shop")
    facts = story.facts("token_lifetime")
    assert 200 < facts["early_seconds"] <= 300
    assert facts["jti"] == "ahead"
    assert f"Early by {facts['early_seconds']} s" in story.evidence
    assert "30 s of leeway are given" in story.evidence


def test_a_token_that_has_expired_at_userinfo(site: Site, key: SigningKey) -> None:
    past = int(time.time()) - 100
    token = made(site, key, jti="late", sub=site.subject, aud=site.url, scope="openid", iat=past - 900, nbf=past - 900,
                 exp=past)  # fmt: skip
    answer = site.bearer("/oauth/userinfo", token)
    assert answer.status_code == 401
    story = site.explained(answer)
    assert story.rule == "token_expired"
    late = story.facts("token_lifetime")["late_seconds"]
    assert late >= 100
    assert f"Late by {late} s: it lapsed at " in story.evidence


def test_a_token_signed_with_a_key_that_is_not_published(site: Site, key: SigningKey) -> None:
    token = forged(key, {"iss": site.url}, {"kid": "a-key-of-elsewhere"})
    story = site.explained(site.bearer(VALIDATE, token))
    assert story.rule == "token_kid"
    assert "a-key-of-elsewhere" in story.told["hint"]
    live = site.service.api.kids()
    assert live <= set(story.facts("access_token")["live_keys"].split())
    assert all(kid in story.evidence for kid in live)


def test_a_token_for_another_audience_at_a_gateway(site: Site, key: SigningKey) -> None:
    story = site.explained(site.bearer(VALIDATE, made(site, key, jti="bank", aud="https://bank.example")))
    assert story.rule == "token_audience"
    assert story.facts("audience") == {"jti": "bank", "expected": AUDIENCE, "came": "https://bank.example"}
    assert f"The token is for https://bank.example; here it must be for {AUDIENCE}." in story.evidence


def test_a_token_without_the_scope_of_a_gateway(site: Site, key: SigningKey) -> None:
    answer = site.bearer(VALIDATE, made(site, key, scope="openid"))
    assert answer.status_code == 403
    story = site.explained(answer)
    assert story.rule == "token_scope"
    assert story.facts("scope")["lacking"] == "orders.read"


def test_a_token_that_its_client_revoked(site: Site) -> None:
    program, tokens = site.signed_in()
    token = tokens["access_token"]
    program.revoke_token(f"{site.url}/oauth/revoke", token=token)
    revoked = site.last.headers["X-Request-Id"]
    answer = site.bearer(VALIDATE, token)
    assert answer.status_code == 401
    story = site.explained(answer)
    assert story.rule == "token_revoked"
    assert story.facts("revocation")["client_id"] == "shop"
    assert "token.revoked by shop from 127.0.0.1" in story.evidence
    assert f"(request {revoked})" in story.evidence


def test_a_token_of_a_client_that_was_cut_off(site: Site) -> None:
    name = "cut-off"
    client = site.service.operator.client(
        name, "client_credentials", scopes=["orders.read"], audiences=[AUDIENCE], redirect_uris=[]
    )
    token = site.service.api.issue(client)["access_token"]
    site.operator("tokens", "revoke", "--client", name, "--reason", "laptop lost")
    until(lambda: site.bearer(VALIDATE, token).status_code == 401, "the cut is known")
    story = site.explained(site.last)
    assert story.rule == "token_revoked"
    assert f"{EventKind.TOKENS_CUT} by cli:" in story.evidence
    assert "because: laptop lost" in story.evidence
    assert CutKind.CLIENT in story.told["hint"] or "laptop lost" in story.told["hint"]


def test_a_token_that_a_stranger_asks_about(site: Site) -> None:
    _, tokens = site.signed_in()
    outsider = site.service.operator.client("outsider", "client_credentials", scopes=["orders.read"])
    site.service.api.secrets.add(str(outsider.secret))
    answer = site.ask(
        "POST",
        "/oauth/introspect",
        data={"token": tokens["access_token"]},
        auth=("outsider", str(outsider.secret)),
    )
    story = site.explained(answer)
    assert (story.rule, story.client) == ("caller_not_entitled", "outsider")
    assert story.facts("caller")["audience"] == AUDIENCE
