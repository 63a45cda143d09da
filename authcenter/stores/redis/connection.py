"""The connection: one client, short time limits, one breaker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, RedisError

from authcenter.core.errors import SharedStateUnavailable
from authcenter.stores.breaker import CircuitBreaker
from authcenter.stores.redis.resets import telling_resets
from authcenter.telemetry.tracing import Tracing, traced

T = TypeVar("T")

# An AttributeError is what a command meets whose connection redis-py's cluster client has dropped in mid-air; a cluster
# of which no node answers raises what is no RedisError. A RuntimeError is what a command meets whose connection is
# still waited on by one that was broken off, and what uvloop raises for one that it has closed.
GONE = (
    RedisError,
    RedisClusterException,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    AttributeError,
    RuntimeError,
)
"""What a command raises where Redis did not answer."""

OnChange = Callable[[bool, str], None]
"""Told whether Redis is up, when that changes, and why it is not."""

_MOST_AT_ONCE = 64
"""Commands; each has a connection of its own. More gain nothing: Redis does one after the other."""

_MOST_CONNECTIONS = 2 * _MOST_AT_ONCE
"""More than are ever in use: redis-py, whose default is 100, takes one too many for a server that is gone."""

_CONNECT_SECONDS = 0.25
_ANSWER_SECONDS = 0.08
_LONGEST_HINT = 200
_PORT, _SENTINEL_PORT = 6379, 26379
_TOLD = {"db.system.name": "redis"}


class RedisConnection:
    """Runs commands, or refuses them at once while Redis is gone.

    Attributes:
        client: For commands of its own; errors and time limits are the caller's then.
    """

    def __init__(
        self,
        url: str,
        on_change: OnChange = lambda _up, _hint: None,
        tracing: Tracing | None = None,
        *,
        answer_seconds: float | None = None,
    ) -> None:
        """Connects nothing yet.

        Args:
            on_change: Told whether Redis is up, and why not, when that changes.
            answer_seconds: How long an answer may take; None: no longer than a request can wait.
        """
        self.client = open_client(url, answer_seconds or _ANSWER_SECONDS)
        self.breaker = CircuitBreaker(self._probe, self._tell)
        self._tracing = tracing
        self._listeners = [on_change]
        self._hint = ""
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._opening = asyncio.Lock()
        self._opened = not isinstance(self.client, RedisCluster)

    def subscribe(self, on_change: OnChange) -> None:
        """Tell ``on_change`` too whether Redis is up, when that changes."""
        self._listeners.append(on_change)

    async def check(self) -> None:
        """Find out whether Redis answers, and tell all listeners. Raises nothing."""
        with suppress(SharedStateUnavailable):
            await self.run(lambda client: client.ping())
            self._tell(True)

    def _tell(self, up: bool) -> None:
        for listener in self._listeners:
            listener(up, "" if up else self._hint)

    async def run(self, act: Callable[[Any], Awaitable[T]]) -> T:
        """The outcome of ``act``, which gets the client, once it is its turn.

        A command whose connection broke may have run, and redis-py sends it once more: scripts that must not run twice
        carry an operation id.

        Raises:
            SharedStateUnavailable: Redis is gone, or did not answer in time.
        """
        self.require_up()
        async with self._turns:
            # Asked again: those before it may have found Redis gone.
            self.require_up()
            try:
                if not self._opened:
                    await self._open()
                with traced(self._tracing, "redis", _TOLD):
                    return await act(self.client)
            except GONE as failure:
                raise self.lost(failure) from failure

    def require_up(self) -> None:
        """Raises ``SharedStateUnavailable`` while the breaker is open."""
        if self.breaker.open:
            raise SharedStateUnavailable("redis: the breaker is open")

    def lost(self, failure: BaseException) -> SharedStateUnavailable:
        """Note that Redis did not answer, one of ``GONE``, so that nobody else waits for it; what to raise for it."""
        said = " ".join(str(failure).split())[:_LONGEST_HINT]
        gone = SharedStateUnavailable(f"redis: {type(failure).__name__}{': ' if said else ''}{said}")
        if not self.breaker.open:
            self._hint = gone.hint
        self.breaker.trip()
        return gone

    async def _open(self) -> None:
        # One at a time: redis-py's cluster client drops connections that others are just opening.
        async with self._opening:
            if not self._opened:
                await self.client.initialize()
                self._opened = True

    async def close(self) -> None:
        await self.breaker.close()
        await close_client(self.client)

    async def _probe(self) -> None:
        await self.client.ping()


def open_client(url: str, answer_seconds: float) -> Any:
    """A client for ``redis://``, ``rediss://``, ``redis+sentinel://h1,h2/service`` or ``redis+cluster://h1,h2``.

    A time-out is never tried again: the library's default would run one script eleven times.

    Args:
        answer_seconds: How long an answer may take; blocking reads need a client of their own with more.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": max(_CONNECT_SECONDS, answer_seconds),
        "socket_timeout": answer_seconds,
        "max_connections": _MOST_CONNECTIONS,
        "retry": Retry(ExponentialWithJitterBackoff(cap=0.05, base=0.01), 1, supported_errors=(RedisConnectionError,)),
        "health_check_interval": 0,
    }
    scheme, rest = url.split("://", 1)
    match scheme:
        case "redis+sentinel":
            return telling_resets(_behind_sentinels(rest, options))
        case "redis+cluster":
            return telling_resets(_cluster(rest, options))
        case _:
            return telling_resets(Redis.from_url(url, **options))


async def close_client(client: Any) -> None:
    """Close what ``open_client`` has opened."""
    await client.aclose()
    if not isinstance(client, RedisCluster) and isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def _cluster(rest: str, options: dict[str, Any]) -> Any:
    """``[user:password@]h1[:p1],h2[:p2]``: any of the nodes tells of all."""
    login, _, hosts = rest.rstrip("/").rpartition("@")
    parsed = urlsplit(f"redis://{login}@nodes")
    named = [urlsplit(f"redis://{host}") for host in hosts.split(",")]
    return RedisCluster(
        startup_nodes=[ClusterNode(one.hostname or "localhost", one.port or _PORT) for one in named],
        username=parsed.username,
        password=parsed.password,
        # Its own way of renewing them leaves their connections open.
        dynamic_startup_nodes=False,
        **options,
    )


def _behind_sentinels(rest: str, options: dict[str, Any]) -> Any:
    """``[user:password@]h1[:p1],h2[:p2]/service``: the master of ``service``, whichever it is."""
    address, _, service = rest.partition("/")
    login, at, hosts = address.rpartition("@")
    parsed = urlsplit(f"redis://{login}{at}sentinels")
    sentinels = [urlsplit(f"redis://{host}") for host in hosts.split(",")]
    known = [(one.hostname or "localhost", one.port or _SENTINEL_PORT) for one in sentinels]
    limits = {name: options[name] for name in ("socket_connect_timeout", "socket_timeout")}
    found = Sentinel(known, sentinel_kwargs=limits, **options)  # type: ignore[no-untyped-call]
    for sentinel in found.sentinels:
        telling_resets(sentinel)
    return found.master_for(service, username=parsed.username, password=parsed.password)
