"""Requests signed by PyJWT, pushed, answered signed, redeemed by Authlib: over HTTP, through the pages."""

import html
import re
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk
from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service
from tests.workbench import private_key

CALLBACK = "https://client.example/cb"
VERIFIER = "verifier-" + "v" * 40
KEY = private_key(Alg.ES256, 9)
JWK = signature_jwk(KEY.public_key(), Alg.ES256)


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    service.operator.user("pushed-user")
    return service.operator.client(
        "pushing",
        "authorization_code",
        "refresh_token",
        scopes=["openid", "email"],
        redirect_uris=(CALLBACK,),
        relying_party=RelyingParty(jwks={"keys": [JWK]}, request_object_signing_alg="ES256"),
    )


def request_object(issuer: str, **claims: str) -> str:
    now = int(time.time())
    parameters = {
        "response_type": "code",
        "response_mode": "jwt",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "the state",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    parties = {"iss": "pushing", "client_id": "pushing", "aud": issuer, "nbf": now, "exp": now + 300}
    headers = {"kid": JWK["kid"], "typ": "oauth-authz-req+jwt"}
    return jwt.encode({**parties, **parameters, **claims}, KEY, "ES256", headers=headers)


class Browser:
    """Follows redirects up to the client's, and sends forms."""

    def __init__(self, url: str) -> None:
        self.session, self.url = requests.Session(), url

    def go(self, url: str, form: dict[str, str] | None = None) -> requests.Response:
        method = "GET" if form is None else "POST"
        answer = self.session.request(method, url, data=form, allow_redirects=False, timeout=60)
        while answer.is_redirect and not answer.headers["Location"].startswith(CALLBACK):
            url = urljoin(url, answer.headers["Location"])
            answer = self.session.get(url, allow_redirects=False, timeout=60)
        return answer

    def send(self, page: requests.Response, **values: str) -> requests.Response:
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
        form = {html.unescape(name): html.unescape(value) for name, value in hidden}
        (action,) = set(re.findall(r'<form method="post" action="([^"]*)"', page.text))
        return self.go(self.url + html.unescape(action), {**form, **values})


def test_a_signed_request_is_pushed_answered_signed_and_redeemed_once(service: Service, client: Credentials) -> None:
    url, secret = service.api.url, client.secret or ""
    metadata = requests.get(f"{url}/.well-known/openid-configuration", timeout=60).json()
    pushed = requests.post(
        metadata["pushed_authorization_request_endpoint"],
        {"request": request_object(metadata["issuer"])},
        auth=(client.client_id, secret),
        timeout=60,
    )
    assert pushed.status_code == 201, pushed.text
    reference = {"client_id": client.client_id, "request_uri": pushed.json()["request_uri"]}
    start = requests.Request("GET", metadata["authorization_endpoint"], params=reference).prepare().url or ""

    browser = Browser(url)
    login = browser.go(start)
    consent = browser.send(login, username="pushed-user", password=PASSWORD, act="login")
    answered = browser.send(consent, answer="allow")
    told = signed_answer(service, answered)
    assert told["state"] == "the state"

    with OAuth2Session(client.client_id, secret, redirect_uri=CALLBACK) as session:
        tokens = session.fetch_token(metadata["token_endpoint"], code=told["code"], code_verifier=VERIFIER)
    assert service.api.decoded(tokens["access_token"], metadata["issuer"])["client_id"] == client.client_id

    again = signed_answer(service, browser.go(start))
    assert again["error"] == "invalid_request_uri"


def signed_answer(service: Service, answered: requests.Response) -> dict[str, str]:
    """What the one parameter of the redirect says."""
    query = parse_qs(urlsplit(answered.headers["Location"]).query, strict_parsing=True)
    assert query.keys() == {"response"}
    (response,) = query["response"]
    key = jwt.PyJWKClient(f"{service.api.url}/.well-known/jwks.json").get_signing_key_from_jwt(response)
    told: dict[str, str] = jwt.decode(response, key, ["ES256"], audience="pushing", issuer=service.api.url)
    return told


def test_what_was_signed_for_somebody_else_is_not_taken(service: Service, client: Credentials) -> None:
    refused = requests.post(
        f"{service.api.url}/oauth/par",
        {"request": request_object("https://other.example")},
        auth=(client.client_id, client.secret or ""),
        timeout=60,
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request_object")
