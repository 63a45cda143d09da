"""Requests on their way to ``authcenter explain``: written together, never waited for, bounded."""

from dataclasses import replace
from datetime import timedelta

from authcenter.audit.traces import Traced, TraceLog
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.stores.ports.request_traces import STRANGERS_SLOTS, RequestTrace, TraceFilter
from tests.workbench import Workbench


def log(bench: Workbench, slots: int = STRANGERS_SLOTS) -> TraceLog:
    ttl = lambda: bench.core.policy.current.audit.explain_ttl  # noqa: E731 - as the wiring has it
    return TraceLog(bench.stores.traces, bench.clock, ttl, bench.service.traces.log, slots=slots)


def request(number: int) -> Traced:
    origin = RequestOrigin(RequestId(f"r{number}"), "192.0.2.1", "x" * 1_000)
    checks = [("pkce", False, {"method": "S256"})]
    return Traced(origin, "POST", "/oauth/token", 400, "app", "pkce_mismatch", "y" * 5_000, checks, known=True)


async def kept(bench: Workbench) -> list[RequestTrace]:
    return list(await bench.stores.traces.find(TraceFilter(), 1_000))


async def test_a_request_is_kept_for_as_long_as_the_policy_says(bench: Workbench) -> None:
    one = log(bench)
    one.record(request(1))
    bench.offer("audit: {explain_ttl: 60}")
    one.record(request(2))
    assert await kept(bench) == []
    await one.flush()
    lasts = {trace.request_id: trace.expires_at - trace.at for trace in await kept(bench)}
    assert lasts == {"r1": timedelta(days=7), "r2": timedelta(seconds=60)}


async def test_what_strangers_write_is_cut(bench: Workbench) -> None:
    one = log(bench)
    one.record(request(1))
    await one.flush()
    (trace,) = await kept(bench)
    assert (len(trace.user_agent), len(trace.hint)) == (300, 1_000)


async def test_strangers_share_a_ring_and_clients_do_not(bench: Workbench) -> None:
    one = log(bench, slots=5)
    for number in range(12):
        one.record(replace(request(number), known=False))
    for number in range(20, 28):
        one.record(request(number))
    await one.flush()
    numbers = {int(trace.request_id[1:]) for trace in await kept(bench)}
    assert numbers == {*range(7, 12), *range(20, 28)}


def test_the_budget_of_answered_reads_is_one_of_each_second(bench: Workbench) -> None:
    one = log(bench)
    assert [one.takes_answered_read() for _ in range(150)] == [True] * 100 + [False] * 50
    bench.clock.advance(1)
    assert one.takes_answered_read()


async def test_what_the_record_does_not_take_is_tried_again(bench: Workbench) -> None:
    one = log(bench)
    bench.board.down = True
    for number in range(3):
        one.record(request(number))
    await one.flush()
    await one.flush()
    bench.board.down = False
    one.record(request(3))
    await one.flush()
    assert {trace.request_id for trace in await kept(bench)} == {"r0", "r1", "r2", "r3"}
