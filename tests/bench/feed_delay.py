"""The revocation feed: how late a resource server knows, and what a million revoked tokens cost it.

The delay runs from the answer to a revocation on one instance until the follower of another refuses the token. The
million lie in the record before the server starts; the follower is a process of its own.
"""

import asyncio
import base64
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from authcenter.jose.access_token import read_issued
from authcenter.sdk.feed import RevocationFeed, UnobservedFeed
from authcenter.sdk.feed_document import PATH
from authcenter.sdk.feed_reading import FeedDocument
from authcenter.sdk.fetching import open_fetch
from authcenter.sdk.key_cache import KeyCache
from tests.bench.table import Target
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

NAME: Final = "feed"
_REVOCATIONS: Final = 200
_WITHOUT_REDIS: Final = 100
_PATIENCE_SECONDS: Final = 15
_MOST_P99_MS: Final = 1_000
_MOST_P99_BY_POLLING_MS: Final = 2_000
_ENTRIES: Final = 1_000_000
_MOST_BYTES_AN_ENTRY: Final = 32
_MOST_WIRE_BYTES_AN_ENTRY: Final = 9
_AUDIENCE: Final = "https://api.bench.test"
_CLIENT: Final = "bencher"
_BY_POLLING: Final = "another instance, without Redis"
_INSERT: Final = (
    "INSERT INTO revoked_tokens (digest, jti, family_id, client_id, subject, reason, revoked_at, expires_at)"
    " VALUES (?, ?, 'family', 'app', 'usr_somebody', 'bench', ?, ?)"
)


def measure() -> dict[str, Any]:
    """Distributions of delays by way, and the figures of a million entries."""
    delays = {}
    with tempfile.TemporaryDirectory(prefix="authcenter-bench-") as name:
        place = Path(name)
        with RedisServer(place / "redis") as redis, _Two(place / "with", redis.url) as two:
            delays["another instance, with Redis"] = two.delays(_REVOCATIONS, followed=two.other)
        with _Two(place / "without", "") as two:
            delays["the same instance"] = two.delays(_REVOCATIONS, followed=two.one)
            delays[_BY_POLLING] = two.delays(_WITHOUT_REDIS, followed=two.other)
        return {"delay": delays, "million": _million(place / "million")}


def targets(figures: Mapping[str, Any]) -> list[Target]:
    """What the issue demands."""
    found = []
    for way, of in figures["delay"].items():
        most = _MOST_P99_BY_POLLING_MS if way == _BY_POLLING else _MOST_P99_MS
        found.append(Target(f"feed, {way}: p99, ms", f"< {most}", of["p99_ms"], of["p99_ms"] < most))
    million = figures["million"]
    held, wire = million["held_bytes"] / million["entries"], million["document_bytes"] / million["entries"]
    for name, got, most in (
        ("feed: bytes held an entry", held, _MOST_BYTES_AN_ENTRY),
        ("feed: bytes sent an entry", wire, _MOST_WIRE_BYTES_AN_ENTRY),
    ):
        found.append(Target(name, f"<= {most}", round(got, 2), got <= most))
    return found


def render(figures: Mapping[str, Any]) -> str:
    """The distributions for the terminal."""
    lines = ["\nrevoked, and refused by a resource server that follows the feed of (ms)"]
    for way, of in figures["delay"].items():
        lines.append(
            f"  {way:34}" + "".join(f"{name.removesuffix('_ms'):>8} {value:>8.2f}" for name, value in of.items())
        )
    million = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures["million"].items())
    return "\n".join([*lines, f"followed: {million}", ""])


class _Two:
    """Two servers on one record."""

    def __init__(self, place: Path, redis_url: str) -> None:
        settings = {"AUTHCENTER_REDIS_URL": redis_url} if redis_url else {}
        self.one = AuthcenterProcess(place / "one", settings=settings)
        self.other = self.one.sibling(place / "other")
        self.other.environment.update(settings)
        self._stack = ExitStack()

    def __enter__(self) -> "_Two":
        self._stack.enter_context(self.one)
        self._stack.enter_context(self.other)
        words = ("--grant", "client_credentials", "--scope", "read", "--audience", _AUDIENCE, "--serves", _AUDIENCE)
        self._secret = self.one.cli_json("clients", "create", "--id", _CLIENT, *words)["client_secret"]
        # The repairer looks twice a second for an epoch to begin; what follows the stream, five times.
        time.sleep(3)
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def delays(self, count: int, followed: AuthcenterProcess) -> dict[str, float]:
        return _distribution(asyncio.run(self._measure(count, followed)))

    async def _measure(self, count: int, followed: AuthcenterProcess) -> list[float]:
        issuer, heard = self.one.environment["AUTHCENTER_ISSUER"], _Heard()
        delays = []
        url = f"{followed.url}{PATH}"
        async with (
            aiohttp.ClientSession(self.one.url) as session,
            open_fetch(_PATIENCE_SECONDS) as fetch,
            KeyCache(issuer, fetch) as keys,
            RevocationFeed(
                issuer, keys, client_id=_CLIENT, client_secret=self._secret, url=url, observer=heard
            ) as feed,
        ):
            await feed.wait_loaded(_PATIENCE_SECONDS)
            for number in range(count):
                token = json.loads(await self._post(session, "/oauth/token", grant_type="client_credentials"))
                held = read_issued(token["access_token"], issuer, keys.find)
                # Spread over the second, or each would come as long before the poll as the one before.
                await asyncio.sleep(number % 10 / 10)
                heard.news.clear()
                await self._post(session, "/oauth/revoke", token=token["access_token"])
                answered = time.perf_counter()
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    while feed.refusal(held) is None:
                        await heard.news.wait()
                        heard.news.clear()
                delays.append(time.perf_counter() - answered)
        return delays

    async def _post(self, session: aiohttp.ClientSession, path: str, **form: str) -> bytes:
        login = base64.b64encode(f"{_CLIENT}:{self._secret}".encode()).decode()
        async with session.post(path, data=form, headers={"Authorization": f"Basic {login}"}) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {await answer.text()}")
            return await answer.read()


class _Heard(UnobservedFeed):
    """Set whenever a document was taken."""

    def __init__(self) -> None:
        self.news = asyncio.Event()

    def took(self, document: FeedDocument, delay: float) -> None:
        self.news.set()


def _million(place: Path) -> dict[str, Any]:
    server = AuthcenterProcess(place)
    with server:
        made = server.cli_json("clients", "create", "--id", _CLIENT, "--serves", _AUDIENCE)
    with sqlite3.connect(place / "authcenter.db") as database:
        now = time.time_ns() // 1_000
        hour = 3_600_000_000
        rows = ((os.urandom(32), str(n), now - hour, now + hour + n * 840) for n in range(_ENTRIES))
        database.executemany(_INSERT, rows)
    database.close()
    with server:
        url, issuer = server.url, server.environment["AUTHCENTER_ISSUER"]
        command = [sys.executable, "-m", "tests.bench.feed_start", url, issuer, _CLIENT]
        # Twice: the first finds the server without a snapshot at hand.
        first, later = (_started(command, made["client_secret"]) for _ in range(2))
    return {"first_start_ms": first["start_ms"], **later}


def _started(command: Sequence[str], secret: str) -> dict[str, Any]:
    project = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=project, input=secret, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


def _distribution(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}
    last = len(ordered) - 1
    return {name: round(ordered[min(last, int(len(ordered) * share))] * 1_000, 2) for name, share in shares.items()}
