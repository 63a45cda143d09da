"""Instances of the service over one SQLite record and one Redis, in one process and without listeners."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import structlog
from redis import Redis
from structlog.testing import CapturingLogger

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.clock import SystemClock
from authcenter.core.digest import Digest
from authcenter.core.errors import StoreUnavailable
from authcenter.core.token import AccessToken
from authcenter.sdk.replica import RevocationReplica
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.stores.sql.database import Database
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import Record, open_record
from authcenter.wiring.service import Service, build_service
from tests.servers.redis import RedisServer
from tests.workbench import CHEAP

_PATIENCE_SECONDS = 20

_REDIS_SECONDS = 2.0
"""A busy machine is slower than the product lets a Redis be, and what is not told in time is told otherwise."""


@dataclass(slots=True)
class Instance:
    """One instance and its workers."""

    record: Record
    core: Core
    service: Service
    metrics: Metrics
    policy: LivePolicy
    log: CapturingLogger
    switch: "Switch"

    @property
    def replica(self) -> RevocationReplica:
        return self.core.revocations.replica

    @property
    def following(self) -> bool:
        """Whether it follows the stream."""
        return self.core.revocations.epoch is not None

    def refuses(self, token: AccessToken) -> bool:
        """Whether its replica refuses a token."""
        return self.replica.refusal(token) is not None

    async def revoke(self, token: AccessToken) -> None:
        await self.core.revocations.revoke(token, "tests", "tests")

    def events(self) -> list[str]:
        """What it logged."""
        return [str(call.kwargs["event"]) for call in self.log.calls]

    def gauge(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"authcenter_{name}", labels)

    def offer(self, policy: str) -> None:
        assert self.policy.offer(policy, "file").outcome == "accepted"


@dataclass(slots=True)
class Switch:
    """Cuts an instance off the record."""

    down: bool = False


@dataclass(slots=True)
class Fleet:
    """Where instances are started: one record, one Redis."""

    url: str
    redis: RedisServer
    policy: str
    _stack: AsyncExitStack

    @property
    def client(self) -> "Redis":
        """A client of the test's own."""
        return Redis.from_url(self.redis.url)

    async def instance(self, *, redis_url: str | None = None, workers: bool = True) -> Instance:
        """Start one more instance, which has loaded everything when it is given back."""
        settings = load_boot_settings(
            None,
            {
                "AUTHCENTER_DATABASE_URL": self.url,
                "AUTHCENTER_REDIS_URL": self.redis.url if redis_url is None else redis_url,
                "AUTHCENTER_SECRET_KEY": "A" * 43,
                "AUTHCENTER_KEY_PASSPHRASE": "a passphrase",
            },
        )
        clock, hashing, metrics, log = SystemClock(), PasswordHashing(CHEAP, workers=1), Metrics(), CapturingLogger()
        self._stack.callback(hashing.close)
        record = await self._stack.enter_async_context(open_record(settings, clock, redis_seconds=_REDIS_SECONDS))
        switch = Switch()
        _put_behind(switch, record)
        policy, spread = LivePolicy(parse_policy(self.policy, source="file")), record.spread
        core = build_core(settings, policy, record.stores, hashing, clock, spread.revocations if spread else None)

        async def migrated() -> bool:
            return not (await record.upgrade_schema()).pending

        logger = structlog.wrap_logger(log, processors=[])
        requests = RequestLog(StringIO())
        service = build_service(settings, core, metrics, logger, requests, migrated=migrated, spread=spread)
        assert await service.follower.step()
        if workers:
            for work in (service.follower.run(), *(worker.run() for worker in service.spreading)):
                self._stack.push_async_callback(_end, asyncio.create_task(work))
        return Instance(record, core, service, metrics, policy, log, switch)

    async def instances(self, number: int) -> list[Instance]:
        """So many, each following the stream."""
        started = [await self.instance() for _ in range(number)]
        for one in started:
            await until(lambda one=one: one.following, "it follows the stream")
        return started


@asynccontextmanager
async def fleet(directory: Path, redis: RedisServer, policy: str = "") -> AsyncIterator[Fleet]:
    """A record and a Redis; instances end with the block."""
    async with AsyncExitStack() as stack:
        yield Fleet(f"sqlite+aiosqlite:///{directory / 'authcenter.db'}", redis, policy, stack)


def token(number: int = 0, **changes: Any) -> AccessToken:
    """An access token that lives for a quarter of an hour."""
    now = int(datetime.now(UTC).timestamp())
    made = AccessToken(
        claims={},
        client_id=f"client-{number}",
        subject=f"usr_{number}",
        audience=("https://api.example",),
        family=f"family-{number}",
        session=f"session-{number}",
        jti=f"jti-{number}-{os.urandom(4).hex()}",
        kid="kid",
        issued_at=now - 10,
        expires_at=now + 900,
        digest=Digest(os.urandom(32)),
    )
    return replace(made, **changes)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that is bound to happen."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"waited {_PATIENCE_SECONDS} s for: {what}"
        await asyncio.sleep(0.005)


async def all_refuse(instances: list[Instance], tokens: list[AccessToken]) -> None:
    """Every instance refuses every token, in the end."""
    for one in instances:
        await until(lambda one=one: all(map(one.refuses, tokens)), "every instance refuses every token")


async def unavailable(act: Awaitable[Any]) -> None:
    """The record did not answer."""
    try:
        await act
    except StoreUnavailable:
        return
    raise AssertionError("the record answered")


def _put_behind(switch: Switch, record: Record) -> None:
    database: Database = record._database
    reading, writing = database.reading, database.writing

    def guarded(open_transaction: Callable[[], Any]) -> Callable[[], Any]:
        def opened() -> Any:
            if switch.down:
                raise StoreUnavailable("switched off")
            return open_transaction()

        return opened

    for name, act in (("reading", reading), ("writing", writing)):
        setattr(database, name, guarded(act))


async def _end(task: "asyncio.Task[None]") -> None:
    # Again and again: a cancellation was seen to get lost on its way, probably under a read of SQLite.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.5)
    if not task.cancelled():
        task.result()
