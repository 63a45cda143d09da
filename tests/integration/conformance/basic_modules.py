"""What each module of the Basic OP plan demands. What the suite would only warn of is a failure here."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import jwt
import requests

from authcenter.cli.conformance import CLAIMS
from authcenter.proofs.pkce import challenge_of
from tests.integration.conformance.browser import Page
from tests.integration.conformance.deployment import CALLBACK, random_text
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import Tokens

Module = Callable[[Flow], None]

_SILENT = {"login_required", "interaction_required", "consent_required", "account_selection_required"}
OF_PROFILE = set(CLAIMS) - {"address", "phone_number", "phone_number_verified"} | {"preferred_username", "updated_at"}
OF_EMAIL = {"email", "email_verified"}
OF_PHONE = {"phone_number", "phone_number_verified"}
EVERYTHING = OF_PROFILE | OF_EMAIL | OF_PHONE | {"address"}
_IN_ID_TOKEN = {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "at_hash", "nonce"}


def server(flow: Flow) -> None:
    tokens = flow.sign_in()
    assert tokens.claims.keys() <= _IN_ID_TOKEN
    assert flow.client.told(tokens).keys() == {"sub"}


def response_type_missing(flow: Flow) -> None:
    assert flow.refused(response_type=None) in {"invalid_request", "unsupported_response_type"}


def idtoken_signature(flow: Flow) -> None:
    # RS256 by a key that the JWK set has under its kid: checked with every ID token.
    flow.sign_in()
    kids = [key["kid"] for key in flow.client.jwks()]
    assert len(set(kids)) == len(kids)
    assert not any(key.keys() & {"d", "p", "q", "k"} for key in flow.client.jwks())


def userinfo_get(flow: Flow) -> None:
    _check_types(flow.client.told(flow.sign_in(scope="openid profile email address phone")))


def userinfo_post_header(flow: Flow) -> None:
    tokens = flow.sign_in()
    headers = {"Authorization": f"Bearer {tokens.access}"}
    _same(tokens, requests.post(f"{flow.deployment.issuer}/oauth/userinfo", headers=headers, timeout=30))


def userinfo_post_body(flow: Flow) -> None:
    tokens = flow.sign_in()
    form = {"access_token": tokens.access}
    _same(tokens, requests.post(f"{flow.deployment.issuer}/oauth/userinfo", data=form, timeout=30))


def without_nonce(flow: Flow) -> None:
    assert "nonce" not in flow.sign_in(nonce=None).claims


def scope(values: str, names: set[str]) -> Module:
    def module(flow: Flow) -> None:
        tokens = flow.sign_in(scope=f"openid {values}")
        assert tokens.claims.keys() <= _IN_ID_TOKEN
        told = flow.client.told(tokens)
        assert told.keys() == names | {"sub"}
        _check_types(told)

    return module


def alternate_happy_flow(flow: Flow) -> None:
    # Parameters and scope values in another order, and the client's second visit.
    request = dict(reversed(flow.client.request(scope="phone address email profile openid").items()))
    callback = flow.person.visit(flow.client.url(request))
    code = flow.client.code(callback, request)
    tokens = flow.client.tokens(flow.client.redeem(code), nonce=request["nonce"])
    assert flow.client.told(tokens).keys() == EVERYTHING | {"sub"}


def accepts(**parameters: str) -> Module:
    def module(flow: Flow) -> None:
        flow.sign_in(**parameters)

    return module


def login_hint(flow: Flow) -> None:
    page = flow.person.browser.open(flow.client.url(flow.client.request(login_hint="ada@people.example")))
    assert isinstance(page, Page)
    assert page.forms[-1].fields["username"] == "ada@people.example"
    flow.sign_in(login_hint="ada@people.example")


def prompt_login(flow: Flow) -> None:
    first = flow.sign_in()
    _a_second()
    second = flow.sign_in(prompt="login")
    assert "/login" in flow.person.asked
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


def prompt_none_not_logged_in(flow: Flow) -> None:
    assert flow.refused(prompt="none", state=random_text(128)) in _SILENT
    assert flow.person.asked == []


def prompt_none_logged_in(flow: Flow) -> None:
    _check_silent(flow, flow.sign_in(), prompt="none")


def id_token_hint(flow: Flow) -> None:
    first = flow.sign_in()
    _check_silent(flow, first, prompt="none", id_token_hint=first.id_token)


def max_age_1(flow: Flow) -> None:
    first = flow.sign_in()
    _a_second()
    _a_second()
    second = flow.sign_in(max_age="1")
    assert "/login" in flow.person.asked
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


def max_age_10000(flow: Flow) -> None:
    _check_silent(flow, flow.sign_in(max_age="15000"), max_age="10000")


def acr_values(flow: Flow) -> None:
    supported = flow.deployment.metadata()["acr_values_supported"]
    assert flow.sign_in(acr_values=" ".join(supported)).claims["acr"] in supported


def code_reuse(flow: Flow) -> None:
    _check_reuse(flow, age=timedelta(0))


def code_reuse_30_seconds(flow: Flow) -> None:
    _check_reuse(flow, age=timedelta(seconds=30))


def code_reuse_after_its_lifetime(flow: Flow) -> None:
    _check_reuse(flow, age=timedelta(seconds=90))


def code_too_old(flow: Flow) -> None:
    code = flow.code()
    flow.deployment.age_code(code, timedelta(seconds=62))
    _check_refused(flow.client.redeem(code))


def ensure_registered_redirect_uri(flow: Flow) -> None:
    request = flow.client.request(redirect_uri=f"{CALLBACK}/{random_text(10)}")
    page = flow.person.browser.open(flow.client.url(request))
    assert isinstance(page, Page)
    assert page.status == 400
    assert page.answer.headers["Content-Type"].startswith("text/html")


def ensure_post_request_succeeds(flow: Flow) -> None:
    flow.sign_in()
    request = flow.client.request()
    # As the session shows: without its cookie the form arrives, with it the redirect does.
    callback = flow.person.browser.post(f"{flow.deployment.issuer}/oauth/authorize", request)
    code = flow.client.code(flow.person.arrive(callback), request)
    assert flow.person.asked == []
    flow.client.tokens(flow.client.redeem(code), nonce=request["nonce"])


def server_client_secret_post(flow: Flow) -> None:
    flow.by(replace(flow.deployment.post_client, defaults=flow.client.defaults)).sign_in()


def claims_essential(flow: Flow) -> None:
    wish = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = flow.sign_in(claims=wish)
    assert tokens.claims.keys() <= _IN_ID_TOKEN
    assert flow.client.told(tokens)["name"] == CLAIMS["name"]


def idtoken_unsigned(flow: Flow) -> None:
    # The suite skips it where `none` is not announced.
    assert "none" not in flow.deployment.metadata()["id_token_signing_alg_values_supported"]


def request_uri_unsigned(flow: Flow) -> None:
    assert flow.deployment.metadata()["request_uri_parameter_supported"] is False
    assert flow.refused(request_uri="https://suite.example/request.jwt") == "request_uri_not_supported"


def unsigned_request_object(flow: Flow) -> None:
    # The suite skips it where the algorithms are announced and `none` is not one of them.
    assert "none" not in flow.deployment.metadata()["request_object_signing_alg_values_supported"]
    request = jwt.encode(flow.client.request(), "", algorithm="none")
    assert flow.refused(request=request) in {"invalid_request_object", "request_not_supported"}


def request_object_with_redirect_uri(flow: Flow) -> None:
    inner = jwt.encode(flow.client.request(), "", algorithm="none")
    request = flow.client.request(request=inner, redirect_uri=f"{CALLBACK}/{random_text(10)}")
    page = flow.person.browser.open(flow.client.url(request))
    assert isinstance(page, Page)
    assert page.status == 400


def refresh_token(flow: Flow) -> None:
    request = flow.client.request(scope="openid offline_access", prompt="consent")
    code = flow.client.code(flow.person.visit(flow.client.url(request)), request)
    assert flow.person.asked == ["/login", "/consent"]
    first = flow.client.tokens(flow.client.redeem(code), nonce=request["nonce"])
    other = flow.deployment.client2
    _check_refused(other.ask("refresh_token", refresh_token=first.body["refresh_token"]))
    _a_second()

    answer = flow.client.ask("refresh_token", refresh_token=first.body["refresh_token"])
    # OpenID Connect Core §12.2: the nonce belongs to the authorization, not to its refreshed tokens.
    second = flow.client.tokens(answer, nonce=None)
    assert second.body["access_token"] != first.body["access_token"]
    for name in ("iss", "sub", "aud", "auth_time", "azp", "acr", "sid"):
        assert second.claims.get(name) == first.claims.get(name), name
    assert second.claims["iat"] > first.claims["iat"]
    flow.client.told(second)


def pkce(flow: Flow) -> None:
    verifier = random_text(43)
    asked = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    flow.sign_in(verifier, **asked)
    for wrong in ({}, {"code_verifier": random_text(43)}):
        _check_refused(flow.client.redeem(flow.code(**asked), **wrong))


def _check_silent(flow: Flow, first: Tokens, **changes: str) -> None:
    """A second request is answered without a page, and tells of the same sign-in."""
    second = flow.sign_in(**changes)
    assert flow.person.asked == []
    assert (second.claims["sub"], second.claims["auth_time"]) == (first.claims["sub"], first.claims["auth_time"])


def _check_reuse(flow: Flow, *, age: timedelta) -> None:
    code = flow.code()
    first = flow.client.redeem(code)
    assert first.status_code == 200
    access_token = first.json()["access_token"]
    assert flow.client.userinfo(access_token).status_code == 200
    flow.deployment.age_code(code, age)
    _check_refused(flow.client.redeem(code))
    assert flow.client.userinfo(access_token).status_code == 401


def _check_refused(answer: requests.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "no-store" in answer.headers["Cache-Control"]


def _same(tokens: Tokens, answer: requests.Response) -> None:
    assert (answer.status_code, answer.json()["sub"]) == (200, tokens.claims["sub"])


def _check_types(told: dict[str, object]) -> None:
    """OpenID Connect Core §5.1."""
    for name, value in told.items():
        match name:
            case "email_verified" | "phone_number_verified":
                assert isinstance(value, bool), name
            case "updated_at":
                assert type(value) is int
                assert 0 < value <= time.time() + 5
            case "address":
                assert isinstance(value, dict)
                assert all(isinstance(part, str) for part in value.values())
            case _:
                assert isinstance(value, str), name
                assert value


def _a_second() -> None:
    """So that what counts in whole seconds differs."""
    time.sleep(1.1)
