"""Three instances over one Redis, one PostgreSQL and one Consul, each of which a test may kill, freeze or empty."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from authcenter.core.client import OnOutage
from tests.chaos.caller import Caller
from tests.chaos.deployment import AUDIENCE, USER, Deployment
from tests.chaos.traffic import Traffic, traffic
from tests.integration.policy.kv import settings, write
from tests.integration.service.api import Api, Credentials, until
from tests.integration.service.record import PASSWORD, Operator
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.consul import ConsulServer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

INSTANCES = 3
STALENESS_SECONDS = 3
# Short lifetimes: what is served during an outage has to be served stale.
POLICY = f"""\
tokens: {{refresh_reuse_grace: 120}}
cache: {{ttl: 2, negative_ttl: 1}}
revocation: {{max_staleness: {STALENESS_SECONDS}}}
"""
DEPENDENCIES = ("consul", "consul_keys", "database", "redis")


def gone_with(server: str) -> list[str]:
    """The dependencies that are gone when a server is: Consul holds the policy and the keys."""
    return ["consul", "consul_keys"] if server == "consul" else [server]


# One for each request, or for each of one kind.
_OF_REQUESTS = frozenset({"request", "password_grant_used"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One process, and its operators' view."""

    process: AuthcenterProcess
    api: Api

    def up(self, dependency: str) -> bool:
        """What the gauge says; every dependency must have one."""
        text = self.api.ops("/metrics").text
        assert f'authcenter_dependency_up{{dependency="{dependency}"}}' in text
        return self.api.metric("authcenter_dependency_up", dependency=dependency) == 1

    @property
    def degraded(self) -> bool:
        return self.api.metric("authcenter_revocation_degraded") == 1

    def readiness(self) -> tuple[int, str, dict[str, str]]:
        """Status code, status and dependencies."""
        answer = self.api.ops("/readyz")
        body = answer.json()
        return answer.status_code, body["status"], body["dependencies"]

    @property
    def policy_version(self) -> str:
        return str(self.api.ops("/readyz").json()["policy_version"])

    def log_size(self) -> int:
        """Up to its last whole line."""
        return self.process.log.read_bytes().rfind(b"\n") + 1

    def log_lines(self, since: int, until: int | None = None) -> list[dict[str, Any]]:
        """What it logged between two sizes of its log, but for the lines that requests have."""
        written = self.process.log.read_bytes()[since:until]
        lines = map(json.loads, written[: written.rfind(b"\n") + 1].splitlines())
        return [line for line in lines if line["event"] not in _OF_REQUESTS]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The deployment.

    Attributes:
        servers: By the name that metrics give the dependency.
        client: May use every grant, and serves its own audience.
        closed: Serves it too, and wants to be refused what cannot be checked.
    """

    directory: Path
    servers: Mapping[str, Any]
    instances: Sequence[Instance]
    client: Credentials
    closed: Credentials
    _number: "count[int]"

    @property
    def consul(self) -> ConsulServer:
        consul: ConsulServer = self.servers["consul"]
        return consul

    @property
    def record(self) -> Deployment:
        """For looks at the record itself."""
        return Deployment(self.instances[0].process, self.directory)

    @property
    def callers(self) -> list[Caller]:
        """The client, at each instance."""
        return [Caller(one.api.url, self.client.client_id, str(self.client.secret)) for one in self.instances]

    def log_sizes(self) -> list[int]:
        return [one.log_size() for one in self.instances]

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        processes = [one.process for one in self.instances]
        place = self.directory / f"traffic-{next(self._number)}"
        with traffic(place, processes, self.callers[0], (USER, PASSWORD)) as going_on:
            yield going_on

    def push(self, document: str) -> None:
        """Write a policy to Consul, as anybody could."""
        write(self.consul, document)

    def until_up(self, dependency: str, *, up: bool) -> None:
        """Wait until every instance says so."""
        for one in self.instances:
            until(lambda one=one: one.up(dependency) is up, f"{dependency} to be {'up' if up else 'down'}")

    def until_well(self) -> None:
        """Wait until every instance is ready, with all its dependencies."""
        well = (200, "ok", dict.fromkeys(DEPENDENCIES, "up"))
        for one in self.instances:
            until(lambda one=one: one.readiness() == well, f"{well}")
            until(lambda one=one: not one.degraded, "revocations that get here as they should")


@contextmanager
def fleet(directory: Path, policy: str = POLICY) -> Iterator[Fleet]:
    """Everything started, and all instances well."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(durable=True))
        redis = stack.enter_context(RedisServer(directory / "redis"))
        consul = stack.enter_context(ConsulServer(directory / "consul"))
        write(consul, policy)
        first = AuthcenterProcess(
            directory / "0",
            database_url=postgres.create_database(),
            settings={"AUTHCENTER_REDIS_URL": redis.url, **settings(consul)},
        )
        processes = [first, *(_further(first, directory / str(number)) for number in range(1, INSTANCES))]
        instances = []
        for process in processes:
            stack.enter_context(process)
            api = stack.enter_context(Api(process.url, process.ops_url, first.environment["AUTHCENTER_ISSUER"]))
            instances.append(Instance(process, api))
        operator = Operator(first.environment)
        grants = ("client_credentials", "password", "refresh_token")
        rights = {"scopes": ["read"], "audiences": [AUDIENCE], "serves": [AUDIENCE], "first_party": True}
        client = operator.client("load", *grants, **rights)
        closed = operator.client("closed", serves=[AUDIENCE], on_outage=OnOutage.CLOSED)
        operator.user(USER)
        servers = {"consul": consul, "database": postgres, "redis": redis}
        made = Fleet(directory, servers, instances, client, closed, count())
        made.until_well()
        yield made
        for server in servers.values():
            server.thaw()


def _further(first: AuthcenterProcess, directory: Path) -> AuthcenterProcess:
    """One more instance: what is its own aside, it is set as the first is."""
    own = {"PORT", "OPS_PORT", "POLICY_FILE", "STATE_DIR"}
    names = [name for name in first.environment if name.startswith("AUTHCENTER_")]
    shared = {name: first.environment[name] for name in names if name.removeprefix("AUTHCENTER_") not in own}
    return AuthcenterProcess(directory, settings=shared)
