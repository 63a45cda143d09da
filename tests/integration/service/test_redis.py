"""Two processes of the service over one Redis that is killed, frozen and emptied under them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from authcenter.core.ids import new_jti
from authcenter.stores.cached.second_level import entry_name
from authcenter.stores.redis.keys import entry_key
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

# A process that has just started believes no entry that is older than itself, whatever the clocks of others say.
_CLIENTS = 100


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def one(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("one")
    yield from serving(AuthcenterProcess(directory, settings={"AUTHCENTER_REDIS_URL": redis.url}))


@pytest.fixture(scope="module")
def two(one: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from serving(one.process.sibling(tmp_path_factory.mktemp("two")))


def report(service: Service) -> dict[str, Any]:
    body: dict[str, Any] = service.api.ops("/readyz").json()
    return body


def transitions(service: Service) -> list[str]:
    """What the log says of Redis, in order."""
    lines = map(json.loads, service.process.log.read_text().splitlines())
    return [line["event"] for line in lines if line.get("dependency") == "redis"]


def stored(redis: RedisServer, client: Credentials) -> bytes | None:
    with redis_client.Redis(port=redis.port) as connection:
        found: Any = connection.get(entry_key(entry_name("client", client.client_id)))
    return None if found is None else bytes(found)


def test_what_one_process_has_loaded_the_other_finds_in_redis(one: Service, two: Service) -> None:
    numbers = iter(range(_CLIENTS))

    def found() -> bool:
        client = one.operator.client(f"shared-{next(numbers)}", "client_credentials")
        one.api.issue(client)
        two.api.issue(client)
        return two.api.metric("authcenter_cache_requests_total", cache="client", outcome="shared") > 0

    until(found, "an entry of the other process")


def test_an_entry_is_sealed_and_a_command_that_writes_removes_it(one: Service, redis: RedisServer) -> None:
    numbers = iter(range(_CLIENTS))
    entries: list[tuple[Credentials, bytes]] = []

    def kept() -> bool:
        # The news of the client's creation may remove what was loaded just before; and on a machine that is busy Redis
        # may not take it in time, so that only this process has it. Then another one.
        client = one.operator.client(f"written-{next(numbers)}", "client_credentials")
        one.api.issue(client)
        entries.extend((client, entry) for entry in filter(None, [stored(redis, client)]))
        return bool(entries)

    until(kept, "an entry")
    client, entry = entries[0]
    assert b"written" not in entry

    def removed() -> bool:
        # On a machine that is busy, Redis may not hear of it in time: others are then told by the record.
        assert one.process.cli("clients", "update", client.client_id, "--name", f"Name {new_jti()}").returncode == 0
        return stored(redis, client) is None

    until(removed, "a command that writes removes it")


def test_a_secret_that_was_rotated_by_command_is_accepted_everywhere(one: Service, two: Service) -> None:
    client = one.operator.client("rotated", "client_credentials")
    for service in (one, two):
        service.api.issue(client)
    made = one.process.cli_json("clients", "rotate-secret", "rotated")
    renewed = Credentials(client.client_id, made["client_secret"])
    for service in (one, two):
        until(lambda service=service: service.api.ask(renewed).status_code == 200, "the new secret")


OUTAGES = [
    pytest.param(RedisServer.kill, RedisServer.restart, id="killed"),
    pytest.param(RedisServer.freeze, RedisServer.thaw, id="frozen"),
    pytest.param(RedisServer.kill, RedisServer.restart_empty, id="emptied"),
]


@pytest.mark.parametrize(("begin", "end"), OUTAGES)
def test_nothing_is_refused_while_redis_is_gone(
    one: Service,
    redis: RedisServer,
    request: pytest.FixtureRequest,
    begin: Callable[[RedisServer], object],
    end: Callable[[RedisServer], object],
) -> None:
    name = request.node.callspec.id
    known = one.operator.client(f"known-{name}", "client_credentials")
    one.api.issue(known)
    until(lambda: report(one)["dependencies"]["redis"] == "up", "Redis")
    before = len(transitions(one))

    begin(redis)
    unknown = one.operator.client(f"unknown-{name}", "client_credentials")
    for client in (known, unknown) * 5:
        one.api.issue(client)
    until(lambda: report(one)["dependencies"]["redis"] == "down", "the outage")
    assert one.api.ops("/readyz").status_code == 200
    assert report(one)["status"] == "degraded"
    assert one.api.metric("authcenter_dependency_up", dependency="redis") == 0

    end(redis)
    until(lambda: report(one)["dependencies"]["redis"] == "up", "the end of the outage")
    for client in (known, unknown):
        one.api.issue(client)
    until(lambda: report(one)["status"] == "ok", "all is well")
    until(lambda: one.api.metric("authcenter_dependency_up", dependency="redis") == 1, "it is told so")
    # Each is told once; there are more of them where the machine is slower than the product lets a Redis be.
    told = transitions(one)[before:]
    assert told == ["dependency_down", "dependency_up"] * (len(told) // 2)


def test_a_process_starts_without_redis(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as gone:
        url = gone.url
    settings = {"AUTHCENTER_REDIS_URL": url}
    for service in serving(AuthcenterProcess(tmp_path / "authcenter", settings=settings)):
        service.api.issue(service.operator.client("app", "client_credentials"))
        assert report(service)["dependencies"] == {"redis": "down", "database": "up"}
