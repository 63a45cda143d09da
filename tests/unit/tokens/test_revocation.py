"""The revocation service: what a process knows, how it keeps up, and what it says when it cannot."""

from datetime import timedelta

import pytest

from authcenter.core.client import OnOutage
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import RevocationsUnknown, StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.tokens.revocation import Revocations
from tests.forgery import forged
from tests.workbench import START, Workbench

LOAD, RECENT = "revocations.all_tokens", "revocations.recent"


def elsewhere(bench: Workbench) -> Revocations:
    """Those of another process."""
    return Revocations(bench.stores.revocations, bench.clock, lambda: timedelta(seconds=30))


async def held(bench: Workbench, number: int = 0, **claims: object) -> AccessToken:
    return await bench.core.verifier.read_issued(forged(bench.signer, {"jti": f"jti-{number}", **claims}))


async def test_a_process_that_never_loaded_may_not_be_relied_on(bench: Workbench) -> None:
    fresh = elsewhere(bench)
    for on_outage in OnOutage:
        with pytest.raises(RevocationsUnknown) as unknown:
            fresh.require_known(on_outage, 10)
        assert unknown.value.rule is Rule.REVOCATIONS_STALE
    await fresh.poll(8)
    fresh.require_known(OnOutage.CLOSED, 10)


async def test_the_first_poll_loads_all_that_is_alive_and_the_next_reads_the_last_minute(bench: Workbench) -> None:
    token = await held(bench)
    await bench.core.revocations.revoke(token, "tests", "tests")
    bench.clock.advance(300)
    fresh = elsewhere(bench)
    await fresh.poll(8)
    assert fresh.replica.refusal(token)
    bench.board.asked.clear()
    await fresh.poll(8)
    assert bench.board.asked == [RECENT]


async def test_what_has_lapsed_is_not_loaded(bench: Workbench) -> None:
    await bench.core.revocations.revoke(await held(bench), "tests", "tests")
    bench.clock.advance(900 + 30)
    fresh = elsewhere(bench)
    await fresh.poll(8)
    assert len(fresh.replica) == 0


async def test_what_lapses_is_dropped_by_the_poll_once_the_leeway_is_over(bench: Workbench) -> None:
    await bench.core.revocations.revoke(await held(bench), "tests", "tests")
    assert len(bench.core.revocations.replica) == 1
    bench.clock.advance(900 + 29)
    await bench.core.revocations.poll(8)
    assert len(bench.core.revocations.replica) == 1
    bench.clock.advance(61)
    await bench.core.revocations.poll(8)
    assert len(bench.core.revocations.replica) == 0


async def test_a_poll_hears_of_what_others_revoked_and_cut(bench: Workbench) -> None:
    other = elsewhere(bench)
    await other.poll(8)
    revoked, cut = await held(bench, 1), await held(bench, 2, client_id="cut-client")
    await other.revoke(revoked, "tests", "tests")
    await other.cut([Cut(CutKind.CLIENT, "cut-client", "tests", until_now=True)], "tests")
    await bench.core.revocations.poll(8)
    assert bench.core.revocations.replica.refusal(revoked)
    assert bench.core.revocations.replica.refusal(cut)


GAPS = [
    pytest.param(30, False, id="half the look-back"),
    pytest.param(31, True, id="longer than half the look-back"),
    pytest.param(3_600, True, id="an hour"),
]


@pytest.mark.parametrize(("seconds", "loads"), GAPS)
async def test_after_too_long_a_gap_all_is_loaded_anew(bench: Workbench, seconds: float, loads: bool) -> None:
    bench.clock.advance(seconds)
    bench.board.asked.clear()
    await bench.core.revocations.poll(8)
    assert (LOAD in bench.board.asked) == loads


async def test_another_width_loads_all_anew_and_forgets_nothing(bench: Workbench) -> None:
    token = await held(bench)
    await bench.core.revocations.revoke(token, "tests", "tests")
    bench.clock.advance(100)
    before = bench.core.revocations.replica
    for width in (4, 16, 8):
        await bench.core.revocations.poll(width)
        replica = bench.core.revocations.replica
        assert replica is not before
        assert replica.version > before.version
        assert replica.refusal(token)
        before = replica


async def test_what_is_revoked_here_while_a_load_is_under_way_is_not_lost(bench: Workbench) -> None:
    token = await held(bench)
    real = bench.stores.revocations.all_cuts

    async def revoked_meanwhile(alive_after: object) -> object:
        cuts = await real(alive_after)  # type: ignore[arg-type]
        await bench.core.revocations.revoke(token, "tests", "tests")
        return cuts

    bench.stores.revocations.all_cuts = revoked_meanwhile  # type: ignore[method-assign,assignment]
    await bench.core.revocations.poll(4)
    assert bench.core.revocations.replica.refusal(token)


STALENESS = [
    pytest.param(OnOutage.OPEN, 1_000, True, id="open goes on with what is known"),
    pytest.param(OnOutage.CLOSED, 10, True, id="closed, just fresh enough"),
    pytest.param(OnOutage.CLOSED, 10.5, False, id="closed, too old"),
]


@pytest.mark.parametrize(("on_outage", "age", "relied_on"), STALENESS)
async def test_an_outage(bench: Workbench, on_outage: OnOutage, age: float, relied_on: bool) -> None:
    bench.board.down = True
    bench.clock.advance(age)
    with pytest.raises(StoreUnavailable):
        await bench.core.revocations.poll(8)
    assert bench.core.revocations.age == age
    if relied_on:
        bench.core.revocations.require_known(on_outage, 10)
    else:
        with pytest.raises(RevocationsUnknown):
            bench.core.revocations.require_known(on_outage, 10)


async def test_without_the_record_nothing_is_revoked(bench: Workbench) -> None:
    token = await held(bench)
    bench.board.down = True
    with pytest.raises(StoreUnavailable):
        await bench.core.revocations.revoke(token, "tests", "tests")
    assert bench.core.revocations.replica.refusal(token) is None
    assert bench.record.tables.revoked == {}


async def test_a_revocation_is_in_the_audit_log(bench: Workbench) -> None:
    token = await held(bench)
    await bench.core.revocations.revoke(token, "because", "somebody")
    (event,) = bench.events
    assert (event.kind, event.actor, event.client_id) == (EventKind.TOKEN_REVOKED, "somebody", "app")
    assert event.context["jti"] == "jti-0"
    assert event.context["reason"] == "because"


BORDERS = [pytest.param(929, 1, id="within the leeway"), pytest.param(930, 0, id="past it")]


@pytest.mark.parametrize(("later", "entries"), BORDERS)
async def test_an_expired_token_needs_no_entry(bench: Workbench, later: float, entries: int) -> None:
    token = await held(bench)
    bench.clock.at = START + timedelta(seconds=later)
    await bench.core.revocations.revoke(token, "tests", "tests")
    assert len(bench.record.tables.revoked) == entries


async def test_revoking_twice_is_revoking_once(bench: Workbench) -> None:
    token = await held(bench)
    for _ in range(2):
        await bench.core.revocations.revoke(token, "tests", "tests")
    assert bench.kinds() == [EventKind.TOKEN_REVOKED]
