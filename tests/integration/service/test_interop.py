"""Libraries that people use, against the service: PyJWT, Authlib, requests-oauthlib."""

from typing import Any

import jwt
import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

_AUDIENCE = "https://interop.example"
_TOKEN, _REVOKE, _INTROSPECT = "/oauth/token", "/oauth/revoke", "/oauth/introspect"


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    service.operator.user("interop-user")
    grants = ("client_credentials", "password", "refresh_token")
    return service.operator.client("interop", *grants, scopes=["read", "write"], audiences=[_AUDIENCE])


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("AUTHLIB", "OAUTHLIB"):
        monkeypatch.setenv(f"{library}_INSECURE_TRANSPORT", "1")


def test_pyjwt_finds_the_key_and_accepts_the_token(service: Service, client: Credentials) -> None:
    token = service.api.issue(client)["access_token"]
    key = jwt.PyJWKClient(f"{service.api.url}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    required: Any = {"require": ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]}
    claims = jwt.decode(token, key, ["ES256"], audience=_AUDIENCE, issuer=service.api.url, options=required)
    assert claims["client_id"] == "interop"
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, ["ES256"], audience="https://elsewhere.example")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_fetches_refreshes_introspects_and_revokes(service: Service, client: Credentials, method: str) -> None:
    url = service.api.url
    with AuthlibSession(
        client.client_id, client.secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    ) as session:
        machine = session.fetch_token(f"{url}{_TOKEN}", grant_type="client_credentials", scope="read")
        assert service.api.decoded(machine["access_token"], _AUDIENCE)["scope"] == "read"

        person = session.fetch_token(f"{url}{_TOKEN}", username="interop-user", password=PASSWORD)
        refreshed = session.refresh_token(f"{url}{_TOKEN}", person["refresh_token"])
        assert refreshed["refresh_token"] != person["refresh_token"]

        told = session.introspect_token(f"{url}{_INTROSPECT}", token=refreshed["access_token"])
        assert told.json()["active"] is True
        revoked = session.revoke_token(
            f"{url}{_REVOKE}", token=refreshed["refresh_token"], token_type_hint="refresh_token"
        )
        assert revoked.status_code == 200
        told = session.introspect_token(f"{url}{_INTROSPECT}", token=refreshed["access_token"])
        assert told.json() == {"active": False}


def test_requests_oauthlib_fetches_as_a_backend(service: Service, client: Credentials) -> None:
    with OAuth2Session(client=BackendApplicationClient(client.client_id, scope="read write")) as session:
        token = session.fetch_token(f"{service.api.url}{_TOKEN}", client_secret=client.secret)
    assert token.scope_changed is False
    assert service.api.decoded(token["access_token"], _AUDIENCE)["sub"] == "interop"


def test_requests_oauthlib_logs_a_person_in_and_refreshes(service: Service, client: Credentials) -> None:
    url, secret = f"{service.api.url}{_TOKEN}", client.secret
    with OAuth2Session(client=LegacyApplicationClient(client.client_id)) as session:
        first = session.fetch_token(url, username="interop-user", password=PASSWORD, client_secret=secret)
        second = session.refresh_token(url, first["refresh_token"], client_id=client.client_id, client_secret=secret)
    assert second["refresh_token"] != first["refresh_token"]
    assert service.api.decoded(second["access_token"], _AUDIENCE)["sub"].startswith("usr_")
