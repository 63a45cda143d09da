"""Load on a service whose record fails: every caller remembers what it was told, and each answer is checked.

Some 50 requests a second: client_credentials, introspection, refresh chains and revocations, side by side.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from tests.chaos.caller import Caller, claims
from tests.chaos.deployment import PASSWORD, USER, Deployment, selector

_PACE_SECONDS = 0.1
_CHAINS, _REVOKERS = 3, 4
# Until when every process has heard of a revocation.
_SPREAD_SECONDS = 2.5
_HANG_SECONDS = 30.0


@dataclass(slots=True)
class Told:
    """What the callers were told.

    Attributes:
        phase: What is happening to the record; the test writes it.
        answers: How often, by phase, kind of request and status.
        wrong: Answers that must not be, in words.
        slowest: Seconds of the slowest answer of each kind.
        rotations: How often each chain's token was traded.
        revoked, living: Access tokens whose revocation was acknowledged; those that nobody revoked.
        families: The newest tokens of each chain.
        resting: A refresh token that nobody uses.
    """

    phase: str = "before"
    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    rotations: Counter[int] = field(default_factory=Counter)
    revoked: list[str] = field(default_factory=list)
    living: list[str] = field(default_factory=list)
    families: dict[int, dict[str, Any]] = field(default_factory=dict)
    resting: str = ""

    def statuses(self, kind: str, *phases: str) -> set[int]:
        """How requests of one kind were answered, in some phases or all."""
        return {status for phase, known, status in self.answers if known == kind and (not phases or phase in phases)}


@contextmanager
def under_load(deployment: Deployment, *, urls: Sequence[str] = ()) -> Iterator[Told]:
    """Load while the block runs; at its end every request under way is finished. It runs in a thread of its own.

    Args:
        urls: Of several servers, each asked in turn; a refused connection, and nothing else, is tried at the next.
    """
    stopped, prepared, told = threading.Event(), threading.Event(), Told()

    async def work() -> None:
        timeout = aiohttp.ClientTimeout(total=_HANG_SECONDS)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            load = _Load(deployment.patient, urls or [deployment.server.url], session, stopped, told)
            try:
                await load.prepare(_CHAINS)
                if urls:
                    await asyncio.sleep(_SPREAD_SECONDS)
            finally:
                prepared.set()
            await load.run()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, work())
        prepared.wait()
        try:
            yield told
        finally:
            stopped.set()
            running.result()


class _Load:
    """The callers."""

    def __init__(
        self,
        caller: Caller,
        urls: Sequence[str],
        session: aiohttp.ClientSession,
        stopped: threading.Event,
        told: Told,
    ) -> None:
        self._caller, self._urls, self._turns = caller, urls, count()
        self._session, self._stopped, self.told = session, stopped, told

    async def prepare(self, chains: int) -> None:
        """Tokens that are known before anything fails: some living, one revoked."""
        for _ in range(3):
            self.told.living.append((await self._granted("prepare", grant_type="client_credentials"))["access_token"])
        revoked = (await self._granted("prepare", grant_type="client_credentials"))["access_token"]
        status, _ = await self.post("prepare", "/oauth/revoke", token=revoked)
        assert status == 200
        self.told.revoked.append(revoked)
        for number in range(chains):
            self.told.families[number] = await self._signed_in()
        self.told.resting = (await self._signed_in())["refresh_token"]

    async def run(self) -> None:
        """All callers at once, until ``stopped``."""
        async with asyncio.TaskGroup() as group:
            for caller in (self._own_tokens, self._introspects, self._introspects_refresh_token):
                group.create_task(self._paced(caller))
            # Several at once: they share one audit chain, and must not wait for one another's time-outs in turn.
            for _ in range(_REVOKERS):
                group.create_task(self._paced(self._revokes))
            for number in self.told.families:
                group.create_task(self._paced(lambda number=number: self._refreshes(number)))

    async def post(self, kind: str, path: str, **form: str) -> tuple[int, Any]:
        """Status and JSON of an answer, which is noted, and checked for what holds of every answer."""
        started = time.monotonic()
        answer, body = await self._ask(path, form)
        seconds = time.monotonic() - started
        self.told.answers[self.told.phase, kind, answer.status] += 1
        self.told.slowest[kind] = max(seconds, self.told.slowest.get(kind, 0.0))
        if answer.status >= 500 and (answer.status != 503 or not answer.headers.get("Retry-After", "").isdigit()):
            self.told.wrong.append(f"{kind}: {answer.status} {body}")
        if 400 <= answer.status < 500:
            self.told.wrong.append(f"{kind}: {answer.status} {body}")
        return answer.status, body

    async def _ask(self, path: str, form: dict[str, str]) -> tuple[aiohttp.ClientResponse, Any]:
        turn = next(self._turns)
        for tries_left in reversed(range(len(self._urls))):
            url = self._urls[(turn + tries_left) % len(self._urls)] + path
            try:
                async with self._session.post(url, data=form, headers=self._caller.headers) as answer:
                    return answer, await answer.json(content_type=None)
            except aiohttp.ClientConnectorError:
                if not tries_left:
                    raise
        raise AssertionError("no server to ask")

    async def _paced(self, act: Callable[[], Awaitable[None]]) -> None:
        while not self._stopped.is_set():
            await act()
            await asyncio.sleep(_PACE_SECONDS)

    async def _signed_in(self) -> dict[str, Any]:
        return await self._granted("prepare", grant_type="password", username=USER, password=PASSWORD)

    async def _granted(self, kind: str, **form: str) -> dict[str, Any]:
        status, body = await self.post(kind, "/oauth/token", **form)
        assert status == 200, body
        return dict(body)

    async def _own_tokens(self) -> None:
        status, body = await self.post("client_credentials", "/oauth/token", grant_type="client_credentials")
        if status == 200:
            self.told.living = [*self.told.living[:3], body["access_token"]]

    async def _introspects(self) -> None:
        """Access tokens: of the living, those of before the failure and the newest; and one that was revoked."""
        for expected, tokens in ((True, self.told.living), (False, self.told.revoked[:1])):
            for token in list(tokens):
                status, body = await self.post("introspect", "/oauth/introspect", token=token)
                if status == 200 and body["active"] is not expected:
                    self.told.wrong.append(f"introspect: {body}, but active should be {expected}")

    async def _introspects_refresh_token(self) -> None:
        status, body = await self.post("introspect refresh token", "/oauth/introspect", token=self.told.resting)
        if status == 200 and not body["active"]:
            self.told.wrong.append(f"introspect refresh token: {body}")

    async def _refreshes(self, number: int) -> None:
        """Trade the newest token of a chain; whatever is not an answer is tried again with the same token."""
        tokens = self.told.families[number]
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        status, body = await self.post("refresh", "/oauth/token", **form)
        if status == 200:
            self.told.rotations[number] += 1
            self.told.families[number] = body

    async def _revokes(self) -> None:
        """A new token of the client's own; acknowledged means revoked, anything else is tried again later."""
        _, body = await self.post("client_credentials", "/oauth/token", grant_type="client_credentials")
        if "access_token" not in body:
            return
        status, _ = await self.post("revoke", "/oauth/revoke", token=body["access_token"])
        if status == 200:
            self.told.revoked.append(body["access_token"])


def require_kept(deployment: Deployment, told: Told) -> None:
    """Every acknowledged rotation and revocation is there, and no other rotation."""
    caller = deployment.patient
    for number, tokens in told.families.items():
        assert told.rotations[number] > 1
        family = deployment.family(selector(tokens["refresh_token"]))
        # A rotation whose answer was lost is one that its retry was told of.
        assert (family.ended, family.tokens) == (False, 1 + told.rotations[number])
        assert family.living == [selector(tokens["refresh_token"])]
        assert caller.active(tokens["refresh_token"])
        assert caller.active(tokens["access_token"])
    assert not any(map(caller.active, told.revoked))
    assert all(map(caller.active, told.living))
    recorded = {json.loads(row.context)["jti"] for row in deployment.audit() if row.event == "token.revoked"}
    assert {claims(token)["jti"] for token in told.revoked} <= recorded
