"""``python -m tests.chaos.generator ORDER``: 50 requests a second over several instances, until SIGTERM.

A process of its own, so that nothing a test does delays it; and open: a request leaves when its time has come, whatever
has become of those before it. Each answer becomes a line (``notes``), and at the end what the callers hold is written.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.notes import (
    INTROSPECT,
    INTROSPECT_REFRESH,
    INTROSPECT_REVOKED,
    ISSUE,
    JWKS,
    PASSWORD_GRANT,
    REFRESH,
    REVOKE,
    Chain,
    Note,
)

PER_SECOND = 50
_WEIGHTS = {
    ISSUE: 14,
    INTROSPECT: 13,
    REFRESH: 8,
    REVOKE: 7,
    INTROSPECT_REVOKED: 4,
    INTROSPECT_REFRESH: 2,
    PASSWORD_GRANT: 1,
    JWKS: 1,
}
_CHAINS = 10
_KEPT_LIVING = 30
# By when every instance refuses what one has acknowledged, be Redis or the record gone: the promise is 2 s.
_SPREAD_SECONDS = 5.0
_HANG_SECONDS = 30.0
# Further behind than this, requests that should have left are left out: sent all at once they would be another load.
_MOST_BEHIND = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, as JSON in a file.

    Attributes:
        urls, pids: Of the instances.
        authorization: Header of the client that asks; it may use every grant and serves the audience.
        notes: File for the answers.
        held: File for what the callers hold at the end; until then it says nothing.
        ready: File that appears when the load begins.
    """

    urls: list[str]
    pids: list[int]
    authorization: str
    username: str
    password: str
    notes: str
    held: str
    ready: str


@dataclass(slots=True)
class _Chain:
    tokens: dict[str, Any]
    rotations: int = 0
    busy: bool = False


@dataclass(slots=True)
class Generator:
    """The callers."""

    order: Order
    session: aiohttp.ClientSession
    notes: Any
    chains: list[_Chain] = field(default_factory=list)
    resting: str = ""
    living: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LIVING))
    unspoken: deque[str] = field(default_factory=deque)
    revoked: list[tuple[float, str]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    async def prepare(self) -> None:
        """Tokens that are known before anything fails, and every instance knows the client and the user."""
        for number in range(_CHAINS + 1):
            granted = await self._granted(number, **self._login())
            self.chains.append(_Chain(granted))
        self.resting = self.chains.pop().tokens["refresh_token"]
        for number in range(3 * len(self.order.urls)):
            token = (await self._granted(number, grant_type="client_credentials"))["access_token"]
            (self.living if number % 3 else self.unspoken).append(token)

    async def run(self, stopped: asyncio.Event) -> None:
        """Ask until ``stopped``; then wait for all answers."""
        acts: dict[str, Callable[[int], Awaitable[None]]] = {
            ISSUE: self._issue,
            INTROSPECT: self._introspect,
            INTROSPECT_REVOKED: self._introspect_revoked,
            INTROSPECT_REFRESH: self._introspect_refresh,
            REFRESH: self._refresh,
            REVOKE: self._revoke,
            PASSWORD_GRANT: self._sign_in,
            JWKS: self._jwks,
        }
        cycle, turn, due = _interleaved(), 0, time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not stopped.is_set():
                kind = cycle[turn % len(cycle)]
                group.create_task(acts[kind](self._next(kind)))
                turn, due = turn + 1, max(due + 1 / PER_SECOND, time.monotonic() - _MOST_BEHIND)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), max(0.0, due - time.monotonic()))

    def held(self) -> dict[str, Any]:
        return {
            "chains": [asdict(Chain(chain.rotations, chain.tokens)) for chain in self.chains],
            "living": list(self.living),
            "resting": self.resting,
            "revoked": [token for _, token in self.revoked],
        }

    def _next(self, kind: str) -> int:
        """The instance whose turn it is: each kind goes round by itself, so that each instance gets its share of it."""
        self.asked[kind] += 1
        return self.asked[kind] % len(self.order.urls)

    async def _issue(self, instance: int) -> None:
        status, body = await self._post(ISSUE, instance, "/oauth/token", grant_type="client_credentials")
        if status == 200:
            # Every other one is for being revoked; the rest must live.
            (self.unspoken if self.asked[ISSUE] % 2 else self.living).append(body["access_token"])

    async def _introspect(self, instance: int) -> None:
        token = self.living[-1 if self.asked[INTROSPECT] % 2 else 0]
        await self._ask_of(INTROSPECT, instance, token, active=True)

    async def _introspect_revoked(self, instance: int) -> None:
        before = time.monotonic() - _SPREAD_SECONDS
        known = [token for at, token in self.revoked if at < before]
        if known:
            await self._ask_of(INTROSPECT_REVOKED, instance, known[-1], active=False)
        else:
            await self._introspect(instance)

    async def _introspect_refresh(self, instance: int) -> None:
        await self._ask_of(INTROSPECT_REFRESH, instance, self.resting, active=True)

    async def _ask_of(self, kind: str, instance: int, token: str, *, active: bool) -> None:
        def judge(body: Any) -> str:
            return "" if body["active"] is active else f"active should be {active}"

        await self._post(kind, instance, "/oauth/introspect", judge=judge, token=token)

    async def _refresh(self, instance: int) -> None:
        """Trade the token of a chain; whatever is no answer is tried again later with the same token."""
        chain = next((chain for chain in self.chains if not chain.busy), None)
        if chain is None:
            return
        chain.busy = True
        self.chains.remove(chain)
        self.chains.append(chain)
        form = {"grant_type": "refresh_token", "refresh_token": chain.tokens["refresh_token"]}
        status, body = await self._post(REFRESH, instance, "/oauth/token", **form)
        if status == 200:
            chain.tokens, chain.rotations = body, chain.rotations + 1
        chain.busy = False

    async def _revoke(self, instance: int) -> None:
        """A token that another instance has issued; what is not acknowledged is tried again later."""
        if not self.unspoken:
            return
        token = self.unspoken.popleft()
        status, _ = await self._post(REVOKE, instance, "/oauth/revoke", noted=token, token=token)
        if status == 200:
            self.revoked.append((time.monotonic(), token))
        else:
            self.unspoken.append(token)

    async def _sign_in(self, instance: int) -> None:
        await self._post(PASSWORD_GRANT, instance, "/oauth/token", **self._login())

    async def _jwks(self, instance: int) -> None:
        await self._send(JWKS, instance, "GET", "/.well-known/jwks.json", None)

    def _login(self) -> dict[str, str]:
        return {"grant_type": "password", "username": self.order.username, "password": self.order.password}

    async def _granted(self, number: int, **form: str) -> dict[str, Any]:
        status, body = await self._post("prepare", number % len(self.order.urls), "/oauth/token", **form)
        if status != 200:
            raise RuntimeError(f"not granted: {status} {body}")
        return dict(body)

    async def _post(
        self,
        kind: str,
        instance: int,
        path: str,
        *,
        noted: str = "",
        judge: Callable[[Any], str] = lambda _: "",
        **form: str,
    ) -> tuple[int, Any]:
        return await self._send(kind, instance, "POST", path, form, judge, noted)

    async def _send(
        self,
        kind: str,
        instance: int,
        method: str,
        path: str,
        form: dict[str, str] | None,
        judge: Callable[[Any], str] = lambda _: "",
        noted: str = "",
    ) -> tuple[int, Any]:
        url, headers = self.order.urls[instance] + path, {"Authorization": self.order.authorization}
        pids = ("self", str(self.order.pids[instance]))
        body, status, retry_after, wrong = None, 0, "", ""
        starved, sent = starved_seconds(pids), time.monotonic()
        try:
            async with self.session.request(method, url, data=form, headers=headers) as answer:
                body = await answer.json(content_type=None)
                status, retry_after = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            wrong = repr(failure)
        seconds, starved = time.monotonic() - sent, starved_seconds(pids) - starved
        if status == 200:
            wrong = wrong or judge(body)
        elif status != 503:
            wrong = wrong or "neither 200 nor 503"
        if wrong:
            wrong = f"{wrong}: {status} {body}"
        self.notes.write(Note(kind, instance, sent, seconds, starved, status, retry_after, wrong, noted).to_line())
        return status, body


def _interleaved() -> list[str]:
    """The kinds of one second, each spread evenly over it."""
    places = [((at + 0.5) / weight, kind) for kind, weight in _WEIGHTS.items() for at in range(weight)]
    return [kind for _, kind in sorted(places)]


def starved_seconds(pids: tuple[str, ...]) -> float:
    """Seconds for which the main threads of processes could have run and got no processor, ever; elsewhere: 0."""
    total = 0.0
    for pid in pids:
        with suppress(OSError, IndexError):
            total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    return total


async def _main(order: Order) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    timeout = aiohttp.ClientTimeout(total=_HANG_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    with Path(order.notes).open("w", buffering=1) as notes:
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            generator = Generator(order, session, notes)
            await generator.prepare()
            Path(order.ready).touch()
            await generator.run(stopped)
    Path(order.held).write_text(json.dumps(generator.held()))


if __name__ == "__main__":
    asyncio.run(_main(Order(**json.loads(Path(sys.argv[1]).read_text()))))
