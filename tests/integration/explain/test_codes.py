"""Broken authorization code sign-ins, each explained from its request id alone."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from authcenter.tokens.codes import code_digest
from tests.integration.conformance.deployment import random_text
from tests.integration.explain.site import CALLBACK, Site


def test_a_verifier_of_another_sign_in(site: Site) -> None:
    program, mine, another = site.program(), random_text(48), random_text(48)
    arrived = site.coded(program, mine)
    story = site.explained(site.refused(lambda: site.redeem(program, arrived, another)))
    assert (story.rule, story.client) == ("pkce_mismatch", "shop")
    facts = story.facts("pkce")
    assert facts["method"] == "S256"
    assert facts["expected"] != facts["came"]
    assert not facts["verifier_is_challenge"]
    assert f"The challenge is {facts['expected']}, the verifier makes {facts['came']}" in story.evidence


def test_the_challenge_sent_as_the_verifier(site: Site) -> None:
    program, verifier = site.program(), random_text(48)
    challenge = create_s256_code_challenge(verifier)
    arrived = site.coded(program, verifier)
    story = site.explained(site.refused(lambda: site.redeem(program, arrived, challenge)))
    assert story.rule == "pkce_mismatch"
    assert "the client sends the challenge twice" in story.evidence


def test_the_verifier_sent_to_the_authorization_endpoint(site: Site) -> None:
    verifier = random_text(48)
    site.service.api.secrets.add(verifier)
    answer = site.authorize(client_id="shop", redirect_uri=CALLBACK, scope="orders.read", code_verifier=verifier)
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"] == "invalid_request"
    story = site.explained(answer)
    assert (story.rule, story.client) == ("pkce_required", "shop")
    assert "that is for the token endpoint, here belongs the challenge" in story.evidence


def test_a_redirect_uri_that_differs_in_one_character(site: Site) -> None:
    answer = site.authorize(client_id="shop", redirect_uri=f"{CALLBACK}/", scope="orders.read")
    assert answer.status_code == 400
    story = site.explained(answer)
    assert (story.rule, story.client) == ("redirect_uri", "shop")
    assert f"Came: {CALLBACK}/" in story.evidence
    assert f"Registered: {CALLBACK}\n" in story.evidence
    assert f"at character {len(CALLBACK) + 1}: `/` is too much" in story.evidence


def test_another_redirect_uri_at_the_token_endpoint(site: Site) -> None:
    program, verifier = site.program(), random_text(48)
    arrived = site.coded(program, verifier)
    other = CALLBACK.replace("callback", "Callback")
    story = site.explained(site.refused(lambda: site.redeem(program, arrived, verifier, redirect_uri=other)))
    assert story.rule == "code_redirect_uri"
    assert story.facts("redirect_uri") == {"expected": CALLBACK, "came": other}
    assert f"In the authorization request: {CALLBACK}" in story.evidence
    assert f"at character {CALLBACK.index('callback') + 1}: `C` instead of `c`" in story.evidence


def test_a_code_that_was_used_before(site: Site) -> None:
    program, verifier = site.program(), random_text(48)
    arrived = site.coded(program, verifier)
    site.redeem(program, arrived, verifier)
    first = site.last.headers["X-Request-Id"]
    answer = site.refused(lambda: site.redeem(program, arrived, verifier))
    # By whom and when the first time, and what came of the second.
    by_whom = f"token.issued by shop from 127.0.0.1 (request {first})"
    story = site.explained(answer, by_whom, "code.replayed: ")
    assert story.rule == "code_replayed"
    assert story.facts("code_unspent")["spent_at"].startswith("20")
    assert by_whom in story.evidence


def test_a_code_that_has_expired(site: Site) -> None:
    program, verifier = site.program(), random_text(48)
    arrived = site.coded(program, verifier)
    code = dict(parse_qsl(urlsplit(arrived).query))["code"]
    digest = code_digest(code)
    assert digest is not None
    site.age("authorization_codes", timedelta(seconds=60 + 600), f"digest = x'{digest.hex()}'")
    story = site.explained(site.refused(lambda: site.redeem(program, arrived, verifier)))
    assert story.rule == "code_expired"
    late = story.facts("code_lifetime")["late_seconds"]
    assert late >= 600
    assert f"Late by {late} s: it lapsed at " in story.evidence


def test_a_code_of_another_client(site: Site) -> None:
    program, verifier = site.program(), random_text(48)
    arrived = site.coded(program, verifier)
    another = site.program(site.other)
    story = site.explained(site.refused(lambda: site.redeem(another, arrived, verifier)))
    assert (story.rule, story.client) == ("code_foreign", "other")
    assert story.facts("code_client") == {"expected": "shop", "came": "other"}


def test_a_scope_that_the_client_may_not_have(site: Site) -> None:
    challenge = {"code_challenge": create_s256_code_challenge(random_text(48)), "code_challenge_method": "S256"}
    answer = site.authorize(client_id="shop", redirect_uri=CALLBACK, scope="orders.read orders.write", **challenge)
    story = site.explained(answer)
    assert (story.rule, story.client) == ("scope_not_allowed", "shop")
    assert story.facts("scope")["too_much"] == "orders.write"
    assert story.facts("scope")["allowed"] == "openid orders.read"


def test_a_resource_that_the_client_may_not_ask_for(site: Site) -> None:
    program = site.program()
    answer = site.refused(
        lambda: program.fetch_token(
            f"{site.url}/oauth/token", grant_type="client_credentials", resource="https://bank.example"
        )
    )
    story = site.explained(answer)
    assert (story.rule, story.client) == ("resource_not_allowed", "shop")
    assert story.facts("audience") == {"came": "https://bank.example", "allowed": "https://api.shop.example"}


def test_a_pushed_request_that_was_used_before(site: Site) -> None:
    reference = pushed(site)
    site.arrive(f"{site.url}/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': reference})}")
    answer = site.authorize(client_id="shop", request_uri=reference)
    story = site.explained(answer)
    assert (story.rule, story.client) == ("request_uri_spent", "shop")
    assert f"It was used at {story.facts('pushed_request')['spent_at']}." in story.evidence


def test_a_pushed_request_that_has_expired(site: Site) -> None:
    reference = pushed(site)
    site.age("pushed_requests", timedelta(seconds=90), "spent_at IS NULL AND expires_at > 0")
    story = site.explained(site.authorize(client_id="shop", request_uri=reference))
    assert (story.rule, story.client) == ("request_uri_expired", "shop")
    late = story.facts("pushed_request")["late_seconds"]
    assert late >= 30
    assert f"Late by {late} s" in story.evidence


def pushed(site: Site) -> str:
    form = {
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "orders.read",
        "code_challenge": create_s256_code_challenge(random_text(48)),
        "code_challenge_method": "S256",
    }
    answer = site.ask("POST", "/oauth/par", data=form, auth=("shop", str(site.shop.secret)))
    assert answer.status_code == 201, answer.text
    site.service.api.secrets.add(answer.json()["request_uri"].rpartition(":")[2])
    return str(answer.json()["request_uri"])
