"""The connection: one client, short time limits, one breaker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, RedisError

from authcenter.core.errors import SharedStateUnavailable
from authcenter.stores.breaker import CircuitBreaker

T = TypeVar("T")

# A cluster of which no node answers raises what is no RedisError.
GONE = (RedisError, RedisClusterException, OSError, TimeoutError, asyncio.IncompleteReadError)
"""What a command raises where Redis did not answer."""

_CONNECT_SECONDS = 0.25
_ANSWER_SECONDS = 0.08
_SENTINEL_PORT = 26379


class RedisConnection:
    """Runs commands, or refuses them at once while Redis is gone.

    Attributes:
        client: For commands of its own; errors and time limits are the caller's then.
    """

    def __init__(self, url: str, on_change: Callable[[bool], None] = lambda _: None) -> None:
        """Connects nothing yet. ``on_change`` is told whether Redis is up, when that changes."""
        self.client = open_client(url)
        self.breaker = CircuitBreaker(self._probe, on_change)

    async def run(self, act: Callable[[Any], Awaitable[T]]) -> T:
        """The outcome of ``act``, which gets the client.

        A command whose connection broke may have run, and redis-py sends it once more: scripts that must not run twice
        carry an operation id.

        Raises:
            SharedStateUnavailable: Redis is gone, or did not answer in time.
        """
        if self.breaker.open:
            raise SharedStateUnavailable("redis: the breaker is open")
        try:
            return await act(self.client)
        except GONE as failure:
            self.breaker.trip()
            raise SharedStateUnavailable(f"redis: {type(failure).__name__}") from failure

    async def close(self) -> None:
        await self.breaker.close()
        await self.client.aclose()

    async def _probe(self) -> None:
        await self.client.ping()


def open_client(url: str, answer_seconds: float = _ANSWER_SECONDS) -> Any:
    """A client for ``redis://``, ``rediss://``, ``redis+sentinel://h1,h2/service`` or ``redis+cluster://h1,h2``.

    A time-out is never tried again: the library's default would run one script eleven times.

    Args:
        answer_seconds: How long an answer may take; blocking reads need a client of their own with more.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "retry": Retry(ExponentialWithJitterBackoff(cap=0.05, base=0.01), 1, supported_errors=(RedisConnectionError,)),
        "health_check_interval": 0,
    }
    scheme, rest = url.split("://", 1)
    match scheme:
        case "redis+sentinel":
            return _behind_sentinels(rest, options)
        case "redis+cluster":
            first = urlsplit(f"redis://{rest.split(',')[0].split('/')[0]}")
            return RedisCluster(
                host=first.hostname or "localhost",
                port=first.port or 6379,
                username=first.username,
                password=first.password,
                socket_connect_timeout=_CONNECT_SECONDS,
                socket_timeout=answer_seconds,
            )
        case _:
            return Redis.from_url(url, **options)


def _behind_sentinels(rest: str, options: dict[str, Any]) -> Any:
    """``[user:password@]h1[:p1],h2[:p2]/service``: the master of ``service``, whichever it is."""
    address, _, service = rest.partition("/")
    login, at, hosts = address.rpartition("@")
    parsed = urlsplit(f"redis://{login}{at}sentinels")
    sentinels = [urlsplit(f"redis://{host}") for host in hosts.split(",")]
    known = [(one.hostname or "localhost", one.port or _SENTINEL_PORT) for one in sentinels]
    limits = {name: options[name] for name in ("socket_connect_timeout", "socket_timeout")}
    found = Sentinel(known, sentinel_kwargs=limits, **options)  # type: ignore[no-untyped-call]
    return found.master_for(service, username=parsed.username, password=parsed.password)
