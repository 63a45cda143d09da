"""A process that serves goes on serving while it verifies the log."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.audit.sources import Table
from authcenter.audit.verification import verify
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import Checkpoint, Heads
from tests.unit.audit.test_verification import Log


class AskTheLoop(CheckpointKeys):
    """Verify a signature after the loop has had a turn."""

    loop: asyncio.AbstractEventLoop

    def verifies(self, checkpoint: Checkpoint) -> bool | None:
        turn = threading.Event()
        self.loop.call_soon_threadsafe(turn.set)
        assert turn.wait(30), "the loop stands still while signatures are checked"
        return CheckpointKeys.verifies(self, checkpoint)


@dataclass(frozen=True)
class Watched(Table):
    """Notes at each row how many turns another task has had."""

    turns: Counter[str] = field(default_factory=Counter)
    at_rows: list[int] = field(default_factory=list)

    async def rows(self, begun: Heads) -> AsyncIterator[AuditRow]:
        async for row in Table.rows(self, begun):
            self.at_rows.append(self.turns["had"])
            yield row

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turns["had"] += 1


async def test_signatures_are_checked_while_others_go_on() -> None:
    log = Log()
    await log.write("a", 3)
    await log.checkpoint()
    keys = AskTheLoop(log.keys.signer, log.keys.verifiers)
    AskTheLoop.loop = asyncio.get_running_loop()
    assert not (await verify([Table(log)], keys)).findings


async def test_rows_are_checked_while_others_go_on() -> None:
    log = Log()
    await log.write("a", 1_000)
    table = Watched(log)
    others = asyncio.create_task(table.count_turns())
    verdict = await verify([table], log.keys)
    others.cancel()
    assert (verdict.rows, verdict.findings) == (1_000, [])
    assert table.at_rows[-1] - table.at_rows[0] >= 9
