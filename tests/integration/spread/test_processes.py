"""Whole processes over one Redis: what a process or a command revokes, every process refuses; commands announce."""

from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from redis import Redis

from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.long

API = "https://api.example"


@pytest.fixture(scope="module")
def redis_of_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def one(redis_of_processes: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"AUTHCENTER_REDIS_URL": redis_of_processes.url}
    process = AuthcenterProcess(tmp_path_factory.mktemp("one"), settings=settings)
    process.policy_file.write_text("revocation: {mode: strict}\n")
    yield from serving(process)


@pytest.fixture(scope="module")
def other(one: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    sibling = one.process.sibling(tmp_path_factory.mktemp("other"))
    url = one.process.environment["AUTHCENTER_REDIS_URL"]
    sibling.environment["AUTHCENTER_REDIS_URL"] = url
    yield from serving(sibling)


def by_its_client(service: Service, client: Credentials, token: str) -> None:
    assert service.api.revoke(client, token).status_code == 200


def by_command(*words: str) -> Callable[[Service, Credentials, str], None]:
    def act(service: Service, client: Credentials, token: str) -> None:
        claims = jwt.decode(token, options={"verify_signature": False})
        known = {**claims, "kid": jwt.get_unverified_header(token)["kid"], "user": client.client_id}
        done = service.process.cli(*(word.format(**known) for word in words), stdin=token)
        assert done.returncode == 0, done.stderr

    return act


WAYS = [
    pytest.param(by_its_client, "token", id="by its client"),
    pytest.param(by_command("tokens", "revoke", "--token-stdin"), "token", id="tokens revoke"),
    pytest.param(by_command("tokens", "revoke", "--jti", "{jti}"), "token", id="tokens revoke --jti"),
    pytest.param(by_command("users", "disable", "{user}"), "sub", id="users disable"),
    pytest.param(by_command("clients", "update", "{client_id}", "--disable"), "client_id", id="clients update"),
    pytest.param(by_command("keys", "revoke", "{kid}", "--yes"), "kid", id="keys revoke"),
]


@pytest.mark.parametrize(("revoke", "kind"), WAYS)
def test_it_is_announced_and_refused_everywhere(
    one: Service,
    other: Service,
    redis_of_processes: RedisServer,
    revoke: Callable[[Service, Credentials, str], None],
    kind: str,
    request: pytest.FixtureRequest,
) -> None:
    number = WAYS.index(next(way for way in WAYS if way.id == request.node.callspec.id))
    client = one.operator.client(f"app-{number}", "password", audiences=[API])
    gateway = one.operator.client(f"gateway-{number}", serves=[API])
    one.operator.user(client.client_id)
    token = one.api.issue(client, "password", username=client.client_id, password=PASSWORD)["access_token"]
    assert one.api.active(gateway, token)
    assert other.api.active(gateway, token)
    revoke(one, client, token)
    assert kind in announced(redis_of_processes)
    for each in (one, other):
        until(lambda each=each: not each.api.active(gateway, token), "it is refused")


def test_every_process_tells_that_it_follows(one: Service, other: Service) -> None:
    for each in (one, other):
        until(lambda each=each: each.api.metric("authcenter_dependency_up", dependency="redis") == 1, "Redis is up")
        assert each.api.metric("authcenter_revocation_degraded") == 0


def announced(redis: RedisServer) -> set[str]:
    """The kinds of what lies in the stream."""
    entries: Any = Redis.from_url(redis.url).xrange("revocations")
    return {fields[b"kind"].decode() for _, fields in entries}
