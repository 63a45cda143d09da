"""Two processes of one deployment, with and without Redis."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes on one record."""

    one: Service
    other: Service

    @property
    def issuer(self) -> str:
        return self.one.process.environment["AUTHCENTER_ISSUER"]


def pair_on(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    process = AuthcenterProcess(tmp_path_factory.mktemp("one"), settings=settings)
    for one in serving(process):
        sibling = process.sibling(tmp_path_factory.mktemp("other"))
        sibling.environment.update(settings)
        for other in serving(sibling):
            one.operator.user("alice")
            yield Pair(one, other)


@pytest.fixture(scope="module")
def without_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    yield from pair_on({}, tmp_path_factory)


@pytest.fixture(scope="module")
def with_redis(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    yield from pair_on({"AUTHCENTER_REDIS_URL": redis_server.url}, tmp_path_factory)


@pytest.fixture(params=["without_redis", "with_redis"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.getfixturevalue(request.param)
    return found
