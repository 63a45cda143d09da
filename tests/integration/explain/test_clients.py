"""Clients that cannot prove who they are, or sign requests wrongly; devices: explained from the request id alone."""

import time
from datetime import timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.tokens.device_codes import device_code_digest
from tests.integration.conformance.deployment import random_text
from tests.integration.explain.site import CALLBACK, Site
from tests.integration.service.api import until

TOKEN = "/oauth/token"


def asked(site: Site, client_id: str, secret: str) -> requests.Response:
    """A client credentials request by Basic."""
    site.service.api.secrets.add(secret)
    return site.ask("POST", TOKEN, data={"grant_type": "client_credentials"}, auth=(client_id, secret))


def test_the_secret_of_before_a_rotation(site: Site) -> None:
    client = site.service.operator.client("rotating", "client_credentials", scopes=["orders.read"])
    assert asked(site, "rotating", str(client.secret)).status_code == 200
    site.service.api.secrets.add(site.operator("clients", "rotate-secret", "rotating", "--end-old")["client_secret"])

    def refused() -> bool:
        return asked(site, "rotating", str(client.secret)).status_code == 401

    until(refused, "the old secret is refused")
    story = site.explained(site.last)
    assert (story.rule, story.client) == ("client_secret_wrong", "rotating")
    assert story.facts("client_authentication")["live_secrets"] == 1
    assert "The client has 1 live secrets, the newest made 20" in story.evidence
    assert "client.secret_rotated by cli:" in story.evidence


def test_the_secret_sent_in_a_way_that_is_not_registered(site: Site) -> None:
    site.service.operator.client("spa", "authorization_code", redirect_uris=[CALLBACK], public=True)
    answer = asked(site, "spa", random_text(43))
    assert answer.status_code == 401
    story = site.explained(answer)
    assert (story.rule, story.client) == ("client_method", "spa")
    facts = story.facts("client_authentication")
    assert (facts["came"], facts["expected"]) == ("client_secret_basic", "none")


def test_a_client_that_was_disabled(site: Site) -> None:
    client = site.service.operator.client("retired", "client_credentials", scopes=["orders.read"])
    site.operator("clients", "update", "retired", "--disable")

    def refused() -> bool:
        return asked(site, "retired", str(client.secret)).status_code == 401

    until(refused, "it is disabled")
    story = site.explained(site.last)
    assert (story.rule, story.client) == ("client_disabled", "retired")
    assert story.facts("client_enabled")["disabled_at"].startswith("20")
    assert "client.updated by cli:" in story.evidence


def test_a_client_that_nobody_registered(site: Site) -> None:
    answer = asked(site, "shopp", random_text(43))
    story = site.explained(answer)
    assert (story.rule, story.client) == ("client_unknown", "shopp")


@pytest.mark.parametrize(
    ("times", "word", "least"),
    [
        pytest.param({"nbf": 0, "exp": -400}, "late", 400, id="expired"),
        pytest.param({"nbf": 400, "exp": 500}, "early", 300, id="from a clock that runs ahead"),
    ],
)
def test_a_request_object_of_another_time(site: Site, times: dict[str, int], word: str, least: int) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), f"signing-{word}"
    jwk = signature_jwk(key.public_key(), Alg.ES256)
    client = site.service.operator.client(
        name,
        "authorization_code",
        scopes=["orders.read"],
        redirect_uris=[CALLBACK],
        relying_party=RelyingParty(jwks={"keys": [jwk]}, request_object_signing_alg="ES256"),
    )
    site.service.api.secrets.add(str(client.secret))
    now = int(time.time())
    claims = {"iss": name, "client_id": name, "aud": site.url, "redirect_uri": CALLBACK, "response_type": "code"}
    signed = jwt.encode({**claims, **{claim: now + by for claim, by in times.items()}}, key, "ES256",
                        headers={"kid": jwk["kid"], "typ": "oauth-authz-req+jwt"})  # fmt: skip
    answer = site.ask("POST", "/oauth/par", data={"request": signed}, auth=(name, str(client.secret)))
    assert answer.json()["error"] == "invalid_request_object"
    story = site.explained(answer)
    assert (story.rule, story.client) == ("request_object_time", name)
    seconds = story.facts("request_object_time")[f"{word}_seconds"]
    assert seconds >= least
    assert f"{word.title()} by {seconds} s" in story.evidence


def test_a_device_code_that_has_expired(site: Site) -> None:
    codes = begun(site)
    digest = device_code_digest(codes["device_code"])
    assert digest is not None
    site.age("device_codes", timedelta(hours=1), f"digest = x'{digest.hex()}'")
    answer = polled(site, codes)
    assert answer.json()["error"] == "expired_token"
    story = site.explained(answer)
    assert (story.rule, story.client) == ("device_code_expired", "shop")
    late = story.facts("device_code_lifetime")["late_seconds"]
    assert late > 1_000
    assert f"Late by {late} s" in story.evidence


def test_a_device_that_asks_before_anybody_answered(site: Site) -> None:
    story = site.explained(polled(site, begun(site)))
    assert story.rule == "device_pending"
    assert story.facts("device_answer")["answered"] is False


def begun(site: Site) -> dict[str, str]:
    answer = site.ask(
        "POST", "/oauth/device_authorization", data={"scope": "orders.read"}, auth=("shop", str(site.shop.secret))
    )
    assert answer.status_code == 200, answer.text
    codes: dict[str, str] = answer.json()
    site.service.api.secrets |= {codes["device_code"], codes["user_code"]}
    return codes


def polled(site: Site, codes: dict[str, str]) -> requests.Response:
    form = {"grant_type": DEVICE_CODE_GRANT, "device_code": codes["device_code"]}
    return site.ask("POST", TOKEN, data=form, auth=("shop", str(site.shop.secret)))
