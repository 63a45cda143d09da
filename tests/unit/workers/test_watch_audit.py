"""What is broken in the audit log is told by the metrics and the log."""

from datetime import timedelta

from authcenter.audit.watching import YoungRows
from authcenter.workers.watch_audit import LOCK, AuditWatch
from tests.unit.audit.test_verification import Log
from tests.workbench import Workbench


def watch(bench: Workbench, log: Log, ready: bool = True) -> AuditWatch:
    rows = YoungRows(log, log.keys)
    return AuditWatch(rows, bench.stores.locks, bench.metrics, bench.log, "this process", lambda: ready)


async def test_a_break_is_told_once_by_the_log_and_from_then_on_by_the_metric(bench: Workbench) -> None:
    log = Log()
    await log.write("a", 3)
    watching = watch(bench, log)
    await watching.step()
    assert bench.counted("audit_chain_broken") == 0
    log.change("a", 2, event="user.enabled")
    await watching.step()
    await watching.step()
    assert bench.counted("audit_chain_broken") == 1
    (told,) = [call.kwargs for call in bench.log.calls if call.args == ("audit_chain_broken",)]
    assert told["where"] == "row a:2"


async def test_one_instance_looks_for_all(bench: Workbench) -> None:
    log = Log()
    await log.write("a")
    log.change("a", 1, event="user.enabled")
    assert await bench.stores.locks.acquire(LOCK, "another process", timedelta(minutes=1))
    watching = watch(bench, log)
    await watching.step()
    assert bench.counted("audit_chain_broken") == 0
    bench.clock.advance(61)
    await watching.step()
    assert bench.counted("audit_chain_broken") == 1


async def test_a_process_that_is_not_ready_does_not_look(bench: Workbench) -> None:
    await watch(bench, Log(), ready=False).step()
    assert "locks.acquire" not in bench.board.asked


async def test_while_the_record_is_gone_the_last_word_stands(bench: Workbench) -> None:
    watching = watch(bench, Log())
    bench.metrics.audit_broken.set(1)
    bench.board.down = True
    await watching.step()
    assert bench.counted("audit_chain_broken") == 1
