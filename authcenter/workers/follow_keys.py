"""Keeps this process on the signing keys in Consul: swaps the ring, keeps the copy, settles with the record."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from authcenter.core.errors import Conflict, StoreUnavailable, Unavailable
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.errors import ConsulUnavailable
from authcenter.settings.live import Outcome
from authcenter.settings.source import PolicySource
from authcenter.stores.ports.keys import FollowedKeys, KeysRefused
from authcenter.telemetry.dependencies import note_dependency
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.unending import Unending

NAME = "consul_keys"
"""In ``dependency_up`` and ``config_reload_total``: Consul may answer, and what it holds be no keys of ours."""

_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(slots=True)
class KeysReport:
    """What operators hear of the keys in Consul: once for each change, not for each answer.

    Attributes:
        answers: Whether Consul answered last.
        absent: Whether its answer was that it has no keys.
    """

    health: Health
    metrics: Metrics
    log: Logger
    absent: bool = field(default=False, init=False)
    answers: bool = field(default=True, init=False)
    _hint: str = field(default="", init=False)
    _refused: str = field(default="", init=False)
    _generation: int = field(default=0, init=False)

    def note_answer(self, up: bool, hint: str) -> None:
        """After every answer, and every failure to get one; ``hint``: what is the matter."""
        self.answers, self._hint, self.absent = up, hint, up and bool(hint)
        self._tell()

    def note_accepted(self, generation: int) -> None:
        """The document of Consul is used. ``generation``: of what is known."""
        if generation != self._generation:
            self.metrics.config_reloads.count(NAME, Outcome.ACCEPTED)
        self._generation, self._refused = generation, ""
        self._tell()

    def note_refused(self, hint: str) -> None:
        """It is not used."""
        if hint != self._refused:
            self.metrics.config_reloads.count(NAME, Outcome.REJECTED)
            self.log.error("keys_document_refused", hint=hint, remedy="look at Consul, then `authcenter keys restore`")
        self._refused = hint
        self._tell()

    def _tell(self) -> None:
        up = self.answers and not self.absent and not self._refused
        note_dependency(self.health, self.metrics, self.log, NAME, up=up, hint=self._hint or self._refused)


@dataclass(slots=True)
class KeysFollower:
    """Offers what Consul tells; every second looks whether something is left to do.

    Attributes:
        keep: Writes the copy on disk; runs in a thread and may raise ``OSError``.
    """

    store: FollowedKeys
    source: PolicySource
    keys: LiveKeyRing
    keep: Callable[[str, int], None]
    report: KeysReport
    log: Logger
    _kept: int = field(default=0, init=False)
    _postponed: str = field(default="", init=False)

    async def load(self) -> None:
        """Ask once, before the first request; from here on the ring is read from what is told."""
        await self._catch_up()
        self.store.followed = True
        if self.store.copy_problem:
            self.log.error("keys_copy_ignored", problem=self.store.copy_problem)

    async def run(self) -> None:
        """Follow for ever; cancel the task to end it."""
        keep = Unending(self.report.metrics, self.log).keep
        async with asyncio.TaskGroup() as group:
            group.create_task(keep("follow_keys", self._watch))
            group.create_task(keep("settle_keys", self._look))

    async def _watch(self) -> None:
        async for text in self.source.changes():
            try:
                await self.store.offer(text)
            except Unavailable:
                # Refused, overtaken, or the record does not answer: asked anew, it shows which.
                await self._catch_up()
            else:
                self._accepted()
                await self._swap()
            await self._keep()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            if self.report.absent or self.store.behind:
                await self._catch_up()
            elif not self.report.answers:
                await self._learn_from_the_record()
            await self._keep()

    async def _learn_from_the_record(self) -> None:
        # Cut off from Consul, this instance may be the only one: others go on changing keys.
        try:
            await self.store.refresh()
            await self.keys.reload()
        except StoreUnavailable as failure:
            self._note_postponed(failure)

    async def _catch_up(self) -> None:
        try:
            if await self.store.settle():
                self.log.warning("keys_document_put_there", hint="Consul had none")
        except KeysRefused as refused:
            self.report.note_refused(refused.hint)
        except ConsulUnavailable as failure:
            self.report.note_answer(False, failure.hint)
        except (Unavailable, Conflict) as failure:
            self._note_postponed(failure)
        else:
            self._postponed = ""
            self._accepted()
        await self._swap()

    def _note_postponed(self, failure: Exception) -> None:
        if not self._postponed:
            self.log.warning("keys_not_settled", hint=str(failure))
        self._postponed = str(failure)

    def _accepted(self) -> None:
        if (newest := self.store.newest) is not None:
            self.report.note_accepted(newest[0])

    async def _swap(self) -> None:
        try:
            await self.keys.reload()
        except Unavailable as failure:
            self.log.warning("keys_not_reloaded", hint=str(failure))

    async def _keep(self) -> None:
        newest = self.store.newest
        if newest is None or newest[0] <= self._kept:
            return
        generation, text = newest
        self._kept = generation
        try:
            await asyncio.to_thread(self.keep, text, generation)
        except OSError as failure:
            self.log.warning("keys_copy_not_kept", hint=str(failure))


class NothingToFollow:
    """Keys in the record: what follows the record reads them too."""

    async def load(self) -> None:
        """There is nothing to ask."""

    async def run(self) -> None:
        """Wait for ever; cancel the task to end it."""
        await asyncio.Event().wait()
