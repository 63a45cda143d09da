"""The follower: loads what is missing, then keeps up; an outage is told once."""

import asyncio
import dataclasses
from collections.abc import Coroutine
from datetime import datetime, timedelta

import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.cut import Cut, CutKind
from authcenter.jose.algorithms import Alg
from authcenter.wiring.core import build_core
from tests.unit.http.requests import request
from tests.workbench import SetClock, Workbench


@pytest.fixture
def fresh(cheap_hashing: PasswordHashing) -> Workbench:
    """A process that has loaded nothing yet."""
    return Workbench(cheap_hashing)


async def test_the_first_step_loads_all_and_makes_the_process_ready(fresh: Workbench) -> None:
    health = fresh.service.health
    assert len(health.problems) == 3
    assert await fresh.service.follower.step()
    assert health.problems == []
    assert set(fresh.core.keys.ring.signing) == set(Alg)
    assert fresh.core.revocations.loaded
    assert health.report()["status"] == "ok"
    assert fresh.counted("dependency_up", dependency="database") == 1


async def test_a_second_process_makes_no_keys_of_its_own(fresh: Workbench) -> None:
    await fresh.service.follower.step()
    keys = dict(fresh.record.tables.keys)
    assert await fresh.another_service(fresh.another_core()).follower.step()
    assert fresh.record.tables.keys == keys


async def test_pending_migrations_keep_it_unready_and_untouched(fresh: Workbench) -> None:
    fresh.migrated = False
    before = fresh.record.tables
    for _ in range(3):
        await fresh.service.follower.step()
    assert "schema not loaded" in fresh.service.health.problems
    assert fresh.record.tables is before
    assert "schema_pending" in str(fresh.log.calls)
    fresh.migrated = True
    assert await fresh.service.follower.step()
    assert fresh.service.health.problems == []


async def test_a_record_that_is_not_there_at_the_start_is_asked_again(fresh: Workbench) -> None:
    fresh.board.down = True
    for _ in range(3):
        assert not await fresh.service.follower.step()
    assert fresh.service.health.report()["status"] == "unready"
    fresh.board.down = False
    assert await fresh.service.follower.step()
    assert fresh.service.health.report()["status"] == "ok"


async def test_an_outage_is_told_once_and_so_is_its_end(fresh: Workbench) -> None:
    await fresh.service.follower.step()
    fresh.log.calls.clear()
    fresh.board.down = True
    for _ in range(3):
        assert not await fresh.service.follower.step()
    assert events(fresh) == [("error", "dependency_down"), ("error", "revocation_degraded")]
    health = fresh.service.health
    assert health.problems == []
    assert health.report()["status"] == "degraded"
    assert fresh.counted("revocation_degraded") == 1
    assert fresh.counted("dependency_up", dependency="database") == 0
    fresh.board.down = False
    for _ in range(3):
        assert await fresh.service.follower.step()
    assert events(fresh)[2:] == [("info", "dependency_up"), ("info", "revocation_restored")]
    assert fresh.counted("revocation_degraded") == 0


def events(bench: Workbench) -> list[tuple[str, str]]:
    """What was logged, and how loud."""
    return [(call.method_name, call.kwargs["event"]) for call in bench.log.calls]


async def test_each_step_brings_keys_revocations_and_changes(bench: Workbench) -> None:
    other = bench.another_core()
    await other.keys.reload()
    key = await other.rotation.rotate(Alg.ES256, bench.clock.now() - bench.clock.now(), "tests")
    await other.revocations.cut([Cut(CutKind.CLIENT, "somebody", "tests")], "tests")
    before = len(bench.core.revocations.replica)
    await bench.follow()
    assert bench.signer.kid == key.kid
    assert len(bench.core.revocations.replica) == before + 1


async def test_the_width_of_the_short_hash_follows_the_policy(bench: Workbench) -> None:
    replica = bench.core.revocations.replica
    await bench.follow()
    assert bench.core.revocations.replica is replica
    bench.offer("revocation: {short_hash_bytes: 4}")
    await bench.follow()
    assert bench.core.revocations.replica is not replica
    assert bench.core.revocations.replica.width == 4


async def test_the_loop_goes_on_through_an_outage_until_it_is_cancelled(
    fresh: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def wait_for(nothing: Coroutine[object, object, bool], seconds: float) -> None:
        nothing.close()
        pauses.append(seconds)
        fresh.board.down = len(pauses) in range(2, 8)
        if len(pauses) > 12:
            raise asyncio.CancelledError
        raise TimeoutError

    monkeypatch.setattr(asyncio, "wait_for", wait_for)
    with pytest.raises(asyncio.CancelledError):
        await fresh.service.follower.run()
    assert all(0.6 <= pause <= 2.0 for pause in pauses)
    assert max(pauses) > 1.3
    assert pauses[-1] <= 1.0
    assert fresh.service.health.report()["status"] == "ok"


SKEWS = [
    pytest.param(0.9, 200, id="ahead, but little"),
    pytest.param(1.5, 503, id="ahead"),
    pytest.param(-0.9, 200, id="behind, but little"),
    pytest.param(-1.5, 503, id="behind"),
]


@pytest.mark.parametrize(("ahead", "status"), SKEWS)
async def test_a_clock_that_differs_from_the_databases_keeps_a_process_from_being_ready(
    fresh: Workbench, ahead: float, status: int
) -> None:
    skewed = SetClock(fresh.clock.at + timedelta(seconds=ahead))
    core = build_core(fresh.settings, fresh.policy, fresh.stores, fresh.hashing, skewed)
    service = fresh.another_service(core)
    assert await service.follower.step()
    answer = await service.operators(request(path="/readyz", method="GET"))
    assert answer.status == status
    skewed.advance(-ahead)
    assert await service.follower.step()
    assert service.health.problems == []


async def test_a_slow_answer_is_no_skew(fresh: Workbench) -> None:
    async def slowly() -> datetime:
        fresh.clock.advance(3)
        told = fresh.clock.now()
        fresh.clock.advance(3)
        return told

    follower = dataclasses.replace(fresh.service.follower, database_now=slowly)
    assert await follower.step()
    assert fresh.service.health.clock_skew == 0


async def test_what_the_guard_says_shows_at_once_and_its_end_once_the_record_was_read(fresh: Workbench) -> None:
    follower, health = fresh.service.follower, fresh.service.health
    await follower.step()
    following = asyncio.create_task(follower.run())
    follower.database_changed(False, "it is gone")
    assert (health.report()["status"], fresh.counted("revocation_degraded")) == ("degraded", 1)
    fresh.board.asked.clear()
    follower.database_changed(True, "")
    assert health.report()["status"] == "degraded"
    while health.report()["status"] != "ok":
        await asyncio.sleep(0)
    assert fresh.board.asked
    assert fresh.counted("revocation_degraded") == 0
    following.cancel()
