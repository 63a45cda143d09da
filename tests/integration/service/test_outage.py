"""PostgreSQL is killed, and comes back (DESIGN "When a part is gone", row SQL)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from authcenter.core.client import OnOutage
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, alive, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.long

_AUDIENCE = "https://outage.example"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A service, and the database that a test may kill."""

    service: Service
    database: PostgresServer
    client: Credentials
    strict: Credentials
    tokens: dict[str, Any]


@pytest.fixture
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with PostgresServer(durable=True) as database:
        process = AuthcenterProcess(tmp_path_factory.mktemp("outage"), database_url=database.create_database())
        process.policy_file.write_text("revocation: {max_staleness: 1}")
        for service in serving(process):
            operator = service.operator
            client = operator.client("outage", "client_credentials", "password", "refresh_token", audiences=[_AUDIENCE])
            strict = operator.client("outage-strict", serves=[_AUDIENCE], on_outage=OnOutage.CLOSED)
            operator.user("outage")
            tokens = service.api.issue(client, "password", username="outage", password=PASSWORD)
            made = Deployment(service, database, client, strict, tokens)
            until(lambda made=made: told_active(made), "a strict caller is told")
            yield made
            if not database.child.running:
                database.start()


def told_active(deployment: Deployment) -> bool:
    """Whether a strict caller is told that the token is active: for a moment before each poll it cannot be."""
    answer = deployment.service.api.introspect(deployment.strict, deployment.tokens["access_token"])
    return answer.status_code == 200 and bool(answer.json()["active"])


def status(service: Service) -> str:
    return str(service.api.ops("/readyz").json()["status"])


def test_what_needs_no_database_goes_on_and_the_rest_says_try_again(deployment: Deployment) -> None:
    service, client, tokens = deployment.service, deployment.client, deployment.tokens
    api = service.api
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    assert status(service) == "ok"

    deployment.database.kill()
    until(lambda: status(service) == "degraded", "it knows that its database is gone")
    ready = api.ops("/readyz")
    assert (ready.status_code, ready.json()["dependencies"]) == (200, {"database": "down"})
    assert api.ops("/livez").status_code == 200
    assert api.metric("authcenter_dependency_up", dependency="database") == 0
    until(lambda: api.metric("authcenter_revocation_degraded") == 1, "it is told")

    assert api.issue(client)["token_type"] == "Bearer"
    assert api.active(client, access)
    assert api.active(client, api.issue(client)["access_token"])
    assert api.kids()
    assert api.get("/.well-known/openid-configuration").status_code == 200
    assert api.ask(Credentials(client.client_id, "a wrong secret of it")).status_code == 401

    for refused in (
        api.ask(client, "refresh_token", refresh_token=refresh),
        api.ask(client, "password", username="outage", password=PASSWORD),
        api.ask(client, "password", username="nobody", password=PASSWORD),
        api.introspect(client, refresh),
        api.revoke(client, access),
        api.revoke(client, refresh),
        api.ask(Credentials("never-seen", "before")),
    ):
        assert_try_again(refused)
    until(lambda: api.introspect(deployment.strict, access).status_code == 503, "a strict caller is told 'cannot tell'")

    deployment.database.start()
    until(lambda: status(service) == "ok", "it has recovered")
    assert api.active(client, access), "nothing was revoked by a request that was told to try again"
    assert api.active(client, refresh)
    until(lambda: told_active(deployment), "a strict caller is told again")
    assert api.ask(client, "refresh_token", refresh_token=refresh).status_code == 200
    assert api.issue(client, "password", username="outage", password=PASSWORD)
    assert api.revoke(client, access).status_code == 200
    assert not api.active(client, access)
    until(lambda: api.metric("authcenter_revocation_degraded") == 0, "it is told")


def test_a_process_started_without_its_database_waits_for_it(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    late = deployment.service.process.sibling(tmp_path_factory.mktemp("late"))
    deployment.database.kill()
    try:
        late.child.start(lambda: alive(late))
        ready = requests.get(f"{late.ops_url}/readyz", timeout=30)
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")
        answer = requests.post(
            f"{late.url}/oauth/token",
            {"grant_type": "client_credentials", **deployment.client.form()},
            timeout=30,
        )
        assert_try_again(answer)
        deployment.database.start()
        until(late.answers, "it is ready")
        answer = requests.post(
            f"{late.url}/oauth/token",
            {"grant_type": "client_credentials", **deployment.client.form()},
            timeout=30,
        )
        assert answer.status_code == 200
    finally:
        assert late.stop() == 0


def assert_try_again(answer: requests.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
