"""Authlib and requests-oauthlib, over TLS through NGINX: code with PKCE, refresh, userinfo."""

from typing import Any

import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oidc.core import CodeIDToken
from requests_oauthlib import OAuth2Session

from tests.integration.conformance.browser import Browser
from tests.integration.conformance.deployment import random_text
from tests.integration.real_clients.behind_tls import NATIVE_URI, REDIRECT_URI, SCOPE, BehindTls


@pytest.fixture
def metadata(behind_tls: BehindTls) -> dict[str, Any]:
    url = f"{behind_tls.issuer}/.well-known/openid-configuration"
    return dict(requests.get(url, timeout=30, verify=str(behind_tls.certificate)).json())


def id_token(behind_tls: BehindTls, metadata: dict[str, Any], token: str, client_id: str, alg: str) -> dict[str, Any]:
    jwks = requests.get(metadata["jwks_uri"], timeout=30, verify=str(behind_tls.certificate)).json()
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in jwks["keys"] if key["kid"] == kid)
    return dict(jwt.decode(token, jwt.PyJWK(key), [alg], audience=client_id, issuer=behind_tls.issuer))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_signs_a_person_in(
    behind_tls: BehindTls, browser: Browser, metadata: dict[str, Any], method: str
) -> None:
    client, nonce, verifier = behind_tls.confidential, random_text(20), random_text(48)
    with AuthlibSession(
        client.client_id,
        client.secret,
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    ) as session:
        session.verify, session.trust_env = str(behind_tls.certificate), False
        url, state = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="consent"
        )
        arrived = behind_tls.arrive(browser, url)
        token = session.fetch_token(
            metadata["token_endpoint"], authorization_response=arrived, state=state, code_verifier=verifier
        )
        claims = id_token(behind_tls, metadata, token["id_token"], client.client_id, "RS256")
        CodeIDToken(claims, {"alg": "RS256"}, {}, {"nonce": nonce, "access_token": token["access_token"]}).validate()
        assert session.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]

        refreshed = session.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert refreshed["access_token"] != token["access_token"]
        assert session.get(metadata["userinfo_endpoint"]).json()["email"] == behind_tls.user.email


def test_requests_oauthlib_signs_a_person_in_to_an_app_without_a_secret(
    behind_tls: BehindTls, browser: Browser, metadata: dict[str, Any]
) -> None:
    client = behind_tls.public
    with OAuth2Session(client.client_id, redirect_uri=NATIVE_URI, scope=SCOPE.split(), pkce="S256") as session:
        session.verify, session.trust_env = str(behind_tls.certificate), False
        url, _ = session.authorization_url(metadata["authorization_endpoint"], prompt="consent")
        code = behind_tls.arrive(browser, url)
        # It insists on https for the answer, which a native app can not have on the loopback interface.
        answered = code.replace("http:", "https:", 1)
        token = session.fetch_token(metadata["token_endpoint"], authorization_response=answered, include_client_id=True)
        claims = id_token(behind_tls, metadata, token["id_token"], client.client_id, "ES256")
        assert session.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"] == behind_tls.user.subject
        refreshed = session.refresh_token(metadata["token_endpoint"], client_id=client.client_id)
        assert refreshed["refresh_token"] != token["refresh_token"]
