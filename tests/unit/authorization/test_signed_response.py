"""Answers as one signed parameter (JARM), of codes and of errors alike."""

from typing import Any

import aiohttp
import pytest

from authcenter.core.client import Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg
from authcenter.jose.jws import split
from tests.unit.authorization.test_authorize import GOOD, REDIRECT, VERIFIER, Outcome
from tests.unit.authorization.test_pushed import PARTY, Pusher
from tests.workbench import ISSUER, START, Workbench, stored_key


@pytest.fixture
async def shop(bench: Workbench, web: aiohttp.ClientSession) -> Pusher:
    await bench.client("shop", **PARTY)
    await bench.client("rp", profile=Profile.OIDC, **PARTY)
    party = RelyingParty(authorization_signed_response_alg="EdDSA", id_token_signed_response_alg="ES256")
    await bench.client("eddsa", relying_party=party, **PARTY)
    await bench.client("keyless", relying_party=RelyingParty(authorization_signed_response_alg="PS256"), **PARTY)
    key = stored_key(Alg.RS256)
    bench.record.tables.keys[key.kid] = key
    bench.core.keys._rows = []
    await bench.core.keys.reload()
    return Pusher(bench, web)


def claims_of(shop: Pusher, outcome: Outcome, alg: Alg = Alg.ES256) -> dict[str, Any]:
    """What the one signed parameter says, verified with the published key."""
    told = {name: value for name, value in outcome.told.items() if name != "keep"}
    assert told.keys() == {"response"}
    jws = split(told["response"])
    key = shop.bench.core.keys.ring.verifying[jws.header["kid"]]
    assert jws.header["alg"] == key.alg == alg
    key.verify(jws.signature, jws.signing_input)
    return jws.claims()


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
async def test_a_code_travels_signed(shop: Pusher, mode: str) -> None:
    await shop.ready()
    outcome = await shop.authorize(response_mode=mode)
    claims = claims_of(shop, outcome)
    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert (claims["iss"], claims["aud"], claims["state"]) == (ISSUER, "shop", GOOD["state"])
    assert START.timestamp() < claims["exp"] <= START.timestamp() + 600
    if mode == "form_post.jwt":
        assert outcome.status == 200
        assert "keep" not in outcome.told
    else:
        assert outcome.location.startswith(f"{REDIRECT}&response=")
    tokens = await shop.bench.ask(
        "authorization_code", client="shop", code=claims["code"], redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    assert "access_token" in tokens.members


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "a.b.c"}, "invalid_request_object"),
        ({"request_uri": "https://x.example/"}, "request_uri_not_supported"),
    ],
)
async def test_errors_travel_signed_too(shop: Pusher, mode: str, change: dict[str, str], error: str) -> None:
    claims = claims_of(shop, await shop.authorize(response_mode=mode, **change))
    assert claims["error"] == error
    assert claims.keys() == {"iss", "aud", "exp", "error", "error_description", "state"}


@pytest.mark.parametrize(("client", "alg"), [("shop", Alg.ES256), ("rp", Alg.RS256), ("eddsa", Alg.EDDSA)])
async def test_the_algorithm_is_the_registered_one_else_that_of_id_tokens(shop: Pusher, client: str, alg: Alg) -> None:
    outcome = await shop.authorize(client_id=client, response_mode="jwt", prompt="none")
    assert claims_of(shop, outcome, alg)["aud"] == client


async def test_a_pushed_request_is_answered_signed(shop: Pusher) -> None:
    await shop.ready()
    claims = claims_of(shop, await shop.visit(await shop.push(response_mode="jwt")))
    assert claims["state"] == GOOD["state"]
    assert "code" in claims


async def test_without_a_key_to_sign_with_the_person_is_asked_to_come_back(shop: Pusher) -> None:
    outcome = await shop.authorize(client_id="keyless", response_mode="jwt", prompt="none")
    assert (outcome.status, outcome.location) == (503, "")


async def test_no_person_says_so_in_a_signed_answer(shop: Pusher) -> None:
    await shop.sign_in()
    await shop.authorize(response_mode="jwt")
    assert claims_of(shop, await shop.back(consent="denied"))["error"] == "access_denied"
