"""A master of Redis dies and its replica is promoted, by Sentinel or in a Cluster: the service goes on meanwhile."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_pair import RedisPair

pytestmark = pytest.mark.long

API = "https://api.example"
STREAM = "revocations"
LIMIT = 3
POLICY = f"""
revocation: {{mode: strict}}
rate_limits: {{login_failures_per_account: {LIMIT}/hour, login_failures_per_ip: 1000/hour}}
"""
_PATIENT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Failover:
    """Where the stream of revocations lies: on two servers, of which one is the other's replica."""

    url: str
    nodes: tuple[RedisServer, RedisServer]

    def lose_the_master(self) -> RedisServer:
        """Kill whichever is the master, once its replica has all that it has; what is left."""
        soon(lambda: sorted(map(role, self.nodes)) == ["master", "slave"], "one is the other's replica")
        master, replica = sorted(self.nodes, key=role)
        with Redis(port=master.port) as client:
            soon(lambda: client.wait(1, 1_000) == 1, "the replica is in step")
        master.kill()
        return replica


def role(node: RedisServer) -> str:
    with Redis(port=node.port, decode_responses=True) as client:
        return str(client.info("replication")["role"])


@contextmanager
def sentinel(directory: Path) -> Iterator[Failover]:
    with RedisPair(directory) as pair:
        yield Failover(pair.url, (pair.master, pair.replica))


@contextmanager
def cluster(directory: Path) -> Iterator[Failover]:
    with RedisCluster(directory, replicas=True) as nodes:
        yield Failover(nodes.url, (nodes.primary_of(STREAM), nodes.replica_of(STREAM)))


@pytest.fixture(params=[sentinel, cluster], ids=["sentinel", "cluster"])
def failover(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Failover]:
    with request.param(tmp_path / "redis") as made:
        yield made


@pytest.fixture
def one(failover: Failover, tmp_path: Path) -> Iterator[Service]:
    process = AuthcenterProcess(tmp_path / "one", settings={"AUTHCENTER_REDIS_URL": failover.url})
    process.policy_file.write_text(POLICY)
    yield from serving(process)


@pytest.fixture
def other(one: Service, tmp_path: Path) -> Iterator[Service]:
    yield from serving(one.process.sibling(tmp_path / "other"))


def transitions(service: Service) -> list[str]:
    """What the log says of Redis, in order."""
    lines = map(json.loads, service.process.log.read_text().splitlines())
    return [line["event"] for line in lines if line.get("dependency") == "redis"]


def told_up(service: Service) -> bool:
    return service.api.metric("authcenter_dependency_up", dependency="redis") == 1


def soon(holds: Callable[[], object], what: str) -> None:
    until(holds, what, _PATIENT_SECONDS)


def test_a_promoted_replica_takes_the_place_of_its_master(one: Service, other: Service, failover: Failover) -> None:
    both = (one, other)
    client = one.operator.client("app", "client_credentials", "password", audiences=[API])
    gateway = one.operator.client("gateway", serves=[API])
    one.operator.user("alice")
    for each in both:
        soon(lambda each=each: told_up(each), "Redis is up")
    known = {each.process.port: len(transitions(each)) for each in both}

    def told(service: Service) -> list[str]:
        return transitions(service)[known[service.process.port] :]

    before = revoked_token(one, client)
    for each in both:
        soon(lambda each=each: not each.api.active(gateway, before), "what was revoked before is refused")
    left = failover.lose_the_master()

    during = []
    for each in both:
        assert goes_on(each, client, gateway)
        soon(lambda each=each: "dependency_down" in told(each), "it is missed")
        during.append(revoked_token(each, client))
        assert goes_on(each, client, gateway)
    soon(lambda: role(left) == "master", "the replica is promoted")
    for each in both:
        soon(lambda each=each: told_up(each), "its place is taken")
    after = [revoked_token(each, client) for each in both]

    for token in (before, *during, *after):
        for each in both:
            soon(lambda each=each, token=token: not each.api.active(gateway, token), "it is refused everywhere")
            assert goes_on(each, client, gateway)
    soon(lambda: stream_reaches(left, one, client), "what is revoked now is announced by the new master")
    # Counted together again; and in the record where Redis, for once, is too slow.
    soon(lambda: any(fails(each, client) == 429 for each in both), "failed logins are limited")
    for each in both:
        # Once each way; more often where the machine is slower than the product lets a Redis be.
        soon(lambda each=each: in_turn(told(each)), "each transition is told once")


def in_turn(told: list[str]) -> bool:
    return told == ["dependency_down", "dependency_up"] * (len(told) // 2)


def revoked_token(service: Service, client: Credentials) -> str:
    """A token whose revocation was acknowledged."""
    token: str = service.api.issue(client)["access_token"]
    assert service.api.revoke(client, token).status_code == 200
    return token


def goes_on(service: Service, client: Credentials, gateway: Credentials) -> bool:
    """Whether a token is issued, and what was not revoked is active."""
    return service.api.active(gateway, service.api.issue(client)["access_token"])


def stream_reaches(left: RedisServer, service: Service, client: Credentials) -> bool:
    with Redis(port=left.port) as promoted:
        length = promoted.xlen(STREAM)
        revoked_token(service, client)
        return bool(promoted.xlen(STREAM) > length)


def fails(service: Service, client: Credentials) -> int:
    """The answer to a wrong password."""
    return service.api.ask(client, "password", username="alice", password="wrong").status_code
