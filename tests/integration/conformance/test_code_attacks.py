"""Attacks on codes, PKCE and what requests carry (RFC 9700 §2.1, §4), over HTTP as an attacker has to make them."""

from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authcenter.core.client import Profile
from authcenter.proofs.pkce import challenge_of
from tests.integration.conformance.deployment import CALLBACK, Deployment, random_text, relying_party
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import RelyingParty

_ODD = "%25&=+ ?#/\\'\"<script>alert(1)</script>äß漢🗝\u2028"


@pytest.fixture(scope="module")
def strict(deployment: Deployment) -> RelyingParty:
    """A client of the profile ``oauth21``: never without PKCE."""
    return relying_party(deployment.service, "strict", profile=Profile.OAUTH21)


def challenge(verifier: str) -> dict[str, str]:
    return {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_an_injected_code_fails_the_verifier_of_the_attackers_own_attempt(flow: Flow) -> None:
    of_victim, of_attacker = random_text(43), random_text(43)
    stolen = flow.code(**challenge(of_victim))
    # The attacker began a flow of his own, and swaps the code in its answer: the client sends his verifier.
    assert refusal(flow.client.redeem(stolen, code_verifier=of_attacker)) == (400, "invalid_grant")
    # It neither worked nor ended what the victim is about to get.
    assert flow.client.redeem(stolen, code_verifier=of_victim).status_code == 200


def test_a_code_injected_where_pkce_was_not_used_is_given_away_by_its_nonce(flow: Flow) -> None:
    request = flow.client.request()
    stolen = flow.client.code(flow.person.visit(flow.client.url(request)), request)
    tokens = flow.client.tokens(flow.client.redeem(stolen), nonce=request["nonce"])
    assert tokens.claims["nonce"] != flow.client.request()["nonce"]


def test_the_code_of_another_client_is_worth_nothing_and_stays_whole(flow: Flow) -> None:
    stolen = flow.code()
    other = flow.deployment.client2
    assert refusal(other.redeem(stolen)) == (400, "invalid_grant")
    first = flow.client.redeem(stolen)
    assert first.status_code == 200
    # And when it has been redeemed, another client can not end what it gave.
    assert refusal(other.redeem(stolen)) == (400, "invalid_grant")
    assert flow.client.userinfo(first.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("uri", ["", f"{CALLBACK}/", f"{CALLBACK}?x=1", "https://attacker.example/cb"])
def test_a_code_is_bound_to_its_redirect_uri(flow: Flow, uri: str) -> None:
    assert refusal(flow.client.redeem(flow.code(), redirect_uri=uri)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "taken_out",
    [
        pytest.param({"code_challenge": None, "code_challenge_method": None}, id="no challenge"),
        pytest.param({"code_challenge_method": None}, id="no method, which means plain"),
        pytest.param({"code_challenge_method": "plain"}, id="plain"),
        pytest.param({"code_challenge_method": "s256"}, id="a method of another name"),
        pytest.param({"code_challenge": None}, id="a method alone"),
        pytest.param({"code_challenge": "short"}, id="no hash"),
    ],
)
def test_pkce_can_not_be_taken_out_of_the_request(
    flow: Flow, strict: RelyingParty, taken_out: dict[str, str | None]
) -> None:
    assert flow.by(strict).refused(**{**challenge(random_text(43)), **taken_out}) == "invalid_request"


@pytest.mark.parametrize("verifier", ["", "wrong" * 10, "challenge"])
def test_pkce_can_not_be_left_out_when_the_code_is_redeemed(flow: Flow, verifier: str) -> None:
    asked = challenge(random_text(43))
    form = {"code_verifier": asked["code_challenge"] if verifier == "challenge" else verifier} if verifier else {}
    assert refusal(flow.client.redeem(flow.code(**asked), **form)) == (400, "invalid_grant")


def test_a_code_of_a_request_without_pkce_is_not_taken_with_a_verifier(flow: Flow) -> None:
    # The attacker took the challenge out; the client, who sent it, still shows its verifier (RFC 9700 §4.8.2).
    assert refusal(flow.client.redeem(flow.code(), code_verifier=random_text(43))) == (400, "invalid_grant")


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_every_answer_names_its_issuer_so_that_no_two_servers_are_mixed_up(flow: Flow, mode: str) -> None:
    # The value itself is checked with each answer.
    flow.code(response_mode=mode)
    # In the very second of the sign-in, too.
    assert flow.refused(response_mode=mode, prompt="none", max_age="0") == "login_required"
    assert flow.refused(response_mode=mode, response_type="token") == "unsupported_response_type"
    request = flow.client.request(response_mode=mode, prompt="consent")
    denied = flow.person.visit(flow.client.url(request), agrees=False)
    assert flow.client.error(denied, request) == "access_denied"


def test_the_issuer_is_named_in_a_fragment_too(flow: Flow) -> None:
    callback = flow.person.visit(flow.client.url(flow.client.request(response_mode="fragment")))
    uri, _, fragment = callback.uri.partition("#")
    assert uri == flow.client.redirect_uri
    assert dict(parse_qsl(fragment))["iss"] == flow.deployment.issuer


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(random_text(1_000), id="plain"),
        pytest.param((_ODD * 30)[:1_000], id="all that needs encoding"),
        pytest.param(" " * 1_000, id="blanks"),
    ],
)
def test_state_and_nonce_of_a_thousand_characters_come_back_as_they_were_sent(
    flow: Flow, mode: str, value: str
) -> None:
    # Through both pages, and the state in errors as well: compared with each answer.
    tokens = flow.sign_in(state=value, nonce=value, response_mode=mode, prompt="login consent")
    assert flow.person.asked == ["/login", "/consent"]
    assert tokens.claims["nonce"] == value
    assert flow.refused(state=value, nonce=value, response_mode=mode, response_type="token")


def _forged_jwt(claims: dict[str, Any], kid: str = "") -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims, own, algorithm="ES256", headers={"kid": kid} if kid else None)


@pytest.mark.parametrize("whose", ["another issuer", "another client", "nobody"])
def test_an_id_token_hint_counts_only_where_it_is_ours_for_this_client(flow: Flow, whose: str) -> None:
    mine = flow.sign_in()
    match whose:
        case "another issuer":
            hint = _forged_jwt({**mine.claims, "iss": "https://attacker.example"})
        case "another client":
            hint = flow.by(flow.deployment.client2).sign_in().id_token
        case _:
            hint = jwt.encode(mine.claims, "", algorithm="none")
    assert flow.refused(id_token_hint=hint, prompt="none") == "invalid_request"


@pytest.mark.parametrize("signed", ["by a key of the attacker", "by nobody"])
def test_a_request_object_is_the_clients_own_or_none(flow: Flow, signed: str) -> None:
    flow.sign_in()
    inner = {"iss": flow.client.client_id, "aud": flow.deployment.issuer, **flow.client.request(scope="openid profile")}
    request = _forged_jwt(inner) if signed.startswith("by a key") else jwt.encode(inner, "", algorithm="none")
    assert flow.refused(request=request) == "invalid_request_object"
