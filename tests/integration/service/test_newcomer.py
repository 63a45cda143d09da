"""The newcomer's path: everything made by command, then every endpoint used once, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.running import Service

pytestmark = pytest.mark.long

_RESOURCE = "https://orders.example"
_PASSWORD = "a newcomer's password"
_NEVER_IN_A_MACHINES_TOKEN = {"auth_time", "amr", "sid", "roles"}
_ALWAYS = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "fam"}


@pytest.fixture
def newcomers(either: Service) -> tuple[Service, Credentials, Credentials]:
    """A resource, a client that may use every grant, a gateway that serves the resource, and a user."""
    cli = either.process.cli_json
    cli("resources", "create", "--id", _RESOURCE, "--scope", "read=Read your orders", "--scope", "write=Order for you")
    grants = [word for grant in ("client_credentials", "password", "refresh_token") for word in ("--grant", grant)]
    scopes = ["--scope", "read", "--scope", "write"]
    person = ["--username", "nell", "--email", "nell@example.com", "--role", "buyer", "--password-stdin"]
    with ThreadPoolExecutor() as at_once:
        shop = at_once.submit(cli, "clients", "create", "--id", "shop", *grants, *scopes, "--audience", _RESOURCE)
        gateway = at_once.submit(cli, "clients", "create", "--id", "gateway", "--serves", _RESOURCE)
        at_once.submit(cli, "users", "create", *person, stdin=f"{_PASSWORD}\n").result()
    return either, credentials(shop.result()), credentials(gateway.result())


def credentials(made: dict[str, str]) -> Credentials:
    return Credentials(made["client_id"], made["client_secret"])


def test_a_newcomer_gets_checks_refreshes_and_revokes_tokens(
    newcomers: tuple[Service, Credentials, Credentials],
) -> None:
    service, shop, gateway = newcomers
    api = service.api

    machine = api.issue(shop)
    assert machine["token_type"] == "Bearer"
    assert "refresh_token" not in machine
    claims = api.decoded(machine["access_token"], _RESOURCE)
    assert claims.keys() >= _ALWAYS
    assert not claims.keys() & _NEVER_IN_A_MACHINES_TOKEN
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("shop", "shop", "read write")
    assert jwt.get_unverified_header(machine["access_token"])["typ"] == "at+jwt"

    person = api.issue(shop, "password", username="nell", password=_PASSWORD, scope="read")
    claims = api.decoded(person["access_token"], _RESOURCE)
    assert claims["sub"].startswith("usr_")
    assert (claims["roles"], claims["amr"], claims["scope"]) == (["buyer"], ["pwd"], "read")
    told = api.claims(gateway, person["access_token"])
    assert told == {**claims, "active": True, "token_type": "Bearer"}

    refreshed = api.issue(shop, "refresh_token", refresh_token=person["refresh_token"])
    assert api.decoded(refreshed["access_token"], _RESOURCE)["fam"] == claims["fam"]
    assert api.active(shop, refreshed["refresh_token"])
    assert not api.active(shop, person["refresh_token"])

    assert api.revoke(shop, refreshed["access_token"]).status_code == 200
    assert not api.active(gateway, refreshed["access_token"])
    assert api.active(gateway, person["access_token"])

    kids = api.kids()
    service.process.cli_json("keys", "rotate", "--alg", "ES256", "--now")
    again = api.issue(shop, "refresh_token", refresh_token=refreshed["refresh_token"])
    assert api.active(gateway, again["access_token"])
    assert api.active(gateway, person["access_token"])
    assert kids < api.kids() or jwt.get_unverified_header(again["access_token"])["kid"] in kids
