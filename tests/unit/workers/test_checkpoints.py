"""Signing how far the chains have come: what is new, by one instance, and to the log as well."""

import asyncio
from typing import Any

from structlog.testing import CapturingLogger

from authcenter.audit.archive import read_checkpoints
from authcenter.audit.sources import Table
from authcenter.audit.verification import verify
from authcenter.core.event import Event, EventKind
from authcenter.core.wire_json import encode
from authcenter.workers.checkpoints import CheckpointWorker
from tests.workbench import Workbench


def worker(bench: Workbench, holder: str = "one", log: Any = None, **fields: Any) -> CheckpointWorker:
    return CheckpointWorker(
        trail=bench.stores.trail,
        locks=bench.stores.locks,
        keys=bench.core.checkpoint_keys,
        every=lambda: bench.core.policy.current.audit.checkpoint_every,
        clock=bench.clock,
        log=log or CapturingLogger(),
        holder=holder,
        ready=fields.pop("ready", lambda: True),
        **fields,
    )


async def happen(bench: Workbench) -> None:
    await bench.stores.audit.append(Event(EventKind.KEY_CREATED, "system"))


async def test_there_is_one_where_something_has_happened_and_none_where_not(bench: Workbench) -> None:
    one = worker(bench)
    first = await one.step()
    assert first is not None
    assert await one.step() is None
    await happen(bench)
    second = await one.step()
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    verdict = await verify([Table(bench.stores.trail)], bench.core.checkpoint_keys)
    assert (list(verdict.findings), verdict.beyond) == ([], 0)


async def test_its_copy_in_the_log_is_what_a_log_is_verified_by(bench: Workbench, tmp_path: Any) -> None:
    await happen(bench)
    log = CapturingLogger()
    made = await worker(bench, log=log).step()
    file = tmp_path / "service.log"
    file.write_bytes(b"\n".join(encode({"event": call.args[0], **call.kwargs}) for call in log.calls))
    assert read_checkpoints(file) == [made]


async def test_one_instance_signs_for_all(bench: Workbench) -> None:
    one, two = worker(bench), worker(bench, "two")
    await happen(bench)
    assert await one.step() is not None
    await happen(bench)
    assert await two.step() is None
    # It went away, and its turn with it.
    bench.clock.advance(60)
    assert await two.step() is not None


async def test_the_policy_says_how_often(bench: Workbench) -> None:
    pauses = list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError
        bench.offer("audit: {checkpoint_every: 3}")

    running = asyncio.gather(worker(bench, sleep=sleep).run(), return_exceptions=True)
    await running
    assert pauses == [10, 3]


async def test_it_waits_for_a_process_that_may_act_and_a_record_that_answers(bench: Workbench) -> None:
    await happen(bench)
    assert await worker(bench, ready=lambda: False).step() is None
    bench.board.down = True
    assert await worker(bench).step() is None
    bench.board.down = False
    assert await worker(bench).step() is not None
