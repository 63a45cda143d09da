"""Token Status Lists as a verifier sees them that knows only standards: PyJWT, zlib and an HTTP client.

How long a revocation took to be seen is printed (``-rP``), not asserted: a loaded machine proves nothing.
"""

import zlib
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, policy, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.long

_AUDIENCE = "https://status.example"
_ON = "tokens: {status_list: true}"
_GRANTS = ("client_credentials", "password", "refresh_token")


@pytest.fixture(scope="module")
def listing(either_database: AuthcenterProcess) -> Iterator[Service]:
    """A service whose tokens name their place in a status list."""
    either_database.policy_file.write_text(_ON)
    yield from serving(either_database)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either_database(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AuthcenterProcess:
    directory = tmp_path_factory.mktemp(f"status-{request.param}")
    if request.param == "sqlite":
        return AuthcenterProcess(directory)
    return AuthcenterProcess(directory, database_url=postgres_server.create_database())


@pytest.fixture(scope="module")
def client(listing: Service) -> Credentials:
    listing.operator.user("status-user")
    return listing.operator.client("status", *_GRANTS, audiences=[_AUDIENCE])


def status(service: Service, token: str) -> int:
    """The status of a token by the rules of draft-ietf-oauth-status-list §8.3."""
    claims = service.api.decoded(token, _AUDIENCE)
    reference = claims["status"]["status_list"]
    answer = service.api.get(
        reference["uri"].removeprefix(service.api.issuer), headers={"Accept": "application/statuslist+jwt"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/statuslist+jwt"
    assert jwt.get_unverified_header(answer.text)["typ"] == "statuslist+jwt"
    key = jwt.PyJWKClient(f"{service.api.url}/.well-known/jwks.json").get_signing_key_from_jwt(answer.text)
    listed = jwt.decode(answer.text, key, ["ES256"], options={"require": ["sub", "iat"]})
    assert listed["sub"] == reference["uri"]
    assert answer.headers["Cache-Control"] == f"public, max-age={listed['ttl']}"
    encoded, bits = listed["status_list"]["lst"], listed["status_list"]["bits"]
    places = zlib.decompress(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    index: int = reference["idx"] * bits
    return int(places[index // 8] >> index % 8 & ((1 << bits) - 1))


def login(service: Service, client: Credentials) -> dict[str, str]:
    """A sign-in whose token has the claim: a record that was slow to answer costs it."""
    found: list[dict[str, str]] = []

    def has_claim() -> bool:
        found.append(service.api.issue(client, "password", username="status-user", password=PASSWORD))
        return "status" in service.api.decoded(found[-1]["access_token"], _AUDIENCE)

    until(has_claim, "a token with a status claim")
    return found[-1]


ACTS: list[Any] = [
    pytest.param(lambda one, client, tokens: one.api.revoke(client, tokens["access_token"]), id="revocation"),
    pytest.param(lambda one, client, tokens: one.api.revoke(client, tokens["refresh_token"]), id="end of the family"),
    pytest.param(
        lambda one, *_: one.operator.act(lambda core: core.accounts.logout("status-user", actor="test")),
        id="logged out everywhere",
    ),
]


@pytest.mark.parametrize("act", ACTS)
def test_a_revocation_is_seen_in_the_list(
    listing: Service, client: Credentials, act: Callable[[Service, Credentials, dict[str, str]], Any]
) -> None:
    tokens = login(listing, client)
    assert status(listing, tokens["access_token"]) == 0
    act(listing, client, tokens)
    seconds = until(lambda: status(listing, tokens["access_token"]) == 1, "the bit is set")
    print(f"took {seconds:.2f} s")


def test_the_policy_decides_whether_there_is_a_claim(listing: Service, client: Credentials) -> None:
    kept = login(listing, client)["access_token"]
    with policy(listing, "tokens: {status_list: false}"):
        token = listing.api.issue(client)["access_token"]
        assert "status" not in listing.api.decoded(token, _AUDIENCE)
        assert status(listing, kept) == 0, "who has a claim finds its list"


def test_without_the_record_tokens_are_issued_without_the_claim(tmp_path_factory: pytest.TempPathFactory) -> None:
    with PostgresServer(durable=True) as database:
        process = AuthcenterProcess(tmp_path_factory.mktemp("status-out"), database_url=database.create_database())
        process.policy_file.write_text(_ON)
        for service in serving(process):
            _survive_an_outage(service, database)


def _survive_an_outage(service: Service, database: PostgresServer) -> None:
    client = service.operator.client("status", *_GRANTS, audiences=[_AUDIENCE])
    service.operator.user("status-user")
    before = login(service, client)["access_token"]
    assert status(service, before) == 0

    database.kill()
    during = service.api.issue(client)["access_token"]
    assert "status" not in service.api.decoded(during, _AUDIENCE)
    assert status(service, before) == 0, "what was known goes on being served"
    assert service.api.metric("authcenter_status_claim_total", outcome="omitted") > 0

    database.start()
    until(lambda: _has_claim(service, client), "tokens have the claim again")
    assert status(service, before) == 0
    until(lambda: service.api.revoke(client, before).status_code == 200, "it is revoked")
    until(lambda: status(service, before) == 1, "the bit is set")


def _has_claim(service: Service, client: Credentials) -> bool:
    answer = service.api.ask(client)
    return answer.status_code == 200 and "status" in service.api.decoded(answer.json()["access_token"], _AUDIENCE)
