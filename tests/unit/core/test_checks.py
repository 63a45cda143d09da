"""The trace of a request: bounded, without secrets, and nowhere outside of one."""

import asyncio
import contextvars

from authcenter.core.checks import MOST_CHECKS, begin_trace, checks_so_far, current_trace, failed, mark, passed

KEY = b"k" * 32


async def test_what_was_checked_is_kept_in_order() -> None:
    trace = begin_trace(KEY)
    passed("client", client_id="app")
    failed("pkce", method="S256", verifier_sent=False)
    assert trace.checks == [
        ("client", True, {"client_id": "app"}),
        ("pkce", False, {"method": "S256", "verifier_sent": False}),
    ]
    assert not trace.recorded
    assert checks_so_far() is trace.checks
    assert trace.recorded


async def test_outside_of_a_request_nothing_is_kept() -> None:
    async def outside() -> None:
        assert current_trace() is None
        passed("client", client_id="app")
        failed("client")
        assert checks_so_far() == []
        assert mark("secret") == "?"

    await asyncio.create_task(outside(), context=contextvars.Context())


async def test_a_trace_is_bounded() -> None:
    trace = begin_trace(KEY)
    for number in range(MOST_CHECKS * 2):
        failed("scope", came="x" * 10_000, number=number)
    assert len(trace.checks) == MOST_CHECKS
    assert all(len(str(facts["came"])) <= 301 for _, _, facts in trace.checks)


async def test_requests_at_once_do_not_see_each_other() -> None:
    async def request(name: str) -> list[str]:
        trace = begin_trace(KEY)
        await asyncio.sleep(0)
        passed(name)
        await asyncio.sleep(0)
        return [check for check, _, _ in trace.checks]

    names = [f"check-{number}" for number in range(20)]
    assert await asyncio.gather(*(request(name) for name in names)) == [[name] for name in names]


async def test_marks_tell_equal_from_unequal_and_nothing_else() -> None:
    begin_trace(KEY)
    one = mark("a random value")
    assert one == mark("a random value")
    assert one != mark("another random value")
    assert len(one) == 6
    begin_trace(b"another key" * 3)
    assert mark("a random value") != one
    assert len(mark("\udcff")) == 6
