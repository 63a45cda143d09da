"""What the stores' spans tell of a call, and what they do not."""

from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlalchemy import text
from structlog.testing import CapturingLogger

from authcenter.core.errors import SharedStateUnavailable, StoreUnavailable
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.sql.database import Database
from authcenter.telemetry.tracing import Tracing, open_tracing
from tests.servers.collector import Collector, attributes
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer

SECRET = "a-secret-in-a-name"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
async def tracing(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Tracing:
    """Closed by the test, which then has all spans."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tracing = open_tracing(environ, structlog.wrap_logger(CapturingLogger(), processors=[]))
    assert tracing
    return tracing


def told(collector: Collector) -> list[tuple[str, dict[str, str | int], bool]]:
    """Name, attributes and whether it failed, of each span."""
    assert SECRET.encode() not in b"".join(collector.bodies)
    assert {span.kind for span in collector.spans()} == {Span.SPAN_KIND_CLIENT}
    return [(span.name, attributes(span), span.status.code == Status.STATUS_CODE_ERROR) for span in collector.spans()]


async def test_of_redis(redis_server: RedisServer, collector: Collector, tracing: Tracing) -> None:
    there = RedisConnection(redis_server.url, tracing=tracing)
    await there.run(lambda redis: redis.set(SECRET, SECRET))
    await there.close()
    gone = RedisConnection(f"redis://127.0.0.1:{free_port()}", tracing=tracing)
    with pytest.raises(SharedStateUnavailable):
        await gone.run(lambda redis: redis.get(SECRET))
    await gone.close()
    await tracing.close()
    system = {"db.system.name": "redis"}
    assert told(collector) == [("redis", system, False), ("redis", system | {"error.type": "ConnectionError"}, True)]


async def test_of_sql(postgres_url: str, collector: Collector, tracing: Tracing) -> None:
    database = Database(postgres_url, tracing=tracing)
    async with database.writing() as connection:
        await connection.execute(text(f"SELECT '{SECRET}'"))
    with pytest.raises(StoreUnavailable):
        async with database.reading() as connection:
            await connection.execute(text(f'SELECT * FROM "{SECRET}"'))
    await database.close()
    await tracing.close()
    system = {"db.system.name": "postgresql"}
    assert told(collector) == [
        ("sql write", system, False),
        ("sql read", system | {"error.type": "StoreUnavailable"}, True),
    ]
