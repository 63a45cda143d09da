"""How many are signed in."""

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.workers.count_sessions import SessionCounter
from tests.integration.stores.samples import a_session
from tests.workbench import START, Workbench


def counter(bench: Workbench, ready: bool = True) -> SessionCounter:
    return SessionCounter(bench.stores.sessions, bench.policy, bench.metrics, bench.clock, lambda: ready)


async def test_who_is_signed_in_is_counted_and_who_lapsed_is_not(bench: Workbench) -> None:
    for number, session_id in enumerate(("a", "b", "c")):
        one = a_session(session_id, last_active_at=START, expires_at=START.replace(year=2031))
        await bench.stores.sessions.add(one, Digest(bytes([number]) * 32), NO_CONSEQUENCES)
    await bench.stores.sessions.end("c", START, NO_CONSEQUENCES)
    await counter(bench).step()
    assert bench.counted("sessions_active") == 2
    bench.clock.advance(bench.policy.current.sessions.idle_ttl)
    await counter(bench).step()
    assert bench.counted("sessions_active") == 0


async def test_while_the_record_is_gone_the_last_number_stands(bench: Workbench) -> None:
    await bench.stores.sessions.add(
        a_session(last_active_at=START, expires_at=START.replace(year=2031)), Digest(b"c" * 32), NO_CONSEQUENCES
    )
    await counter(bench).step()
    bench.board.down = True
    await counter(bench).step()
    assert bench.counted("sessions_active") == 1


async def test_a_process_that_is_not_ready_asks_nothing(bench: Workbench) -> None:
    await counter(bench, ready=False).step()
    assert "sessions.count_alive" not in bench.board.asked
