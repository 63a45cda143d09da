"""The memory record: its clock is the injected one, and a write that fails halfway has kept nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from authcenter.audit.chain import GENESIS, link
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences, Cut, CutKind, RevokedToken
from authcenter.core.digest import signing_input_digest
from authcenter.core.event import Event, EventKind
from authcenter.core.resource import Resource
from authcenter.stores.memory.audit import MemoryAuditLog
from authcenter.stores.memory.clients import MemoryResourceStore
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tokens import MemoryChangeFeed, MemoryRevocationStore
from authcenter.stores.ports.audit import AuditRow

START = datetime(2026, 3, 29, 1, 59, 59, tzinfo=UTC)
RESOURCE = Resource("urn:api", "API", {}, START, START)


class SetClock(Clock):
    """Stands where a test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
def counted() -> list[Event]:
    return []


@pytest.fixture
def record(clock: SetClock, counted: list[Event]) -> MemoryRecord:
    return MemoryRecord(clock, link, GENESIS, counted.append)


@pytest.mark.parametrize(
    ("at", "up_to"),
    [
        pytest.param(START, START, id="on the second"),
        pytest.param(START + timedelta(microseconds=1), START + timedelta(seconds=1), id="just after"),
        pytest.param(START + timedelta(microseconds=999_999), START + timedelta(seconds=1), id="just before the next"),
    ],
)
async def test_until_now_is_the_clock_rounded_up(
    record: MemoryRecord, clock: SetClock, at: datetime, up_to: datetime
) -> None:
    clock.at = at
    revocations = MemoryRevocationStore(record)
    await revocations.cut(Consequences(cuts=[Cut(CutKind.SUBJECT, "usr_ada", "x", until_now=True)]))
    assert [cut.up_to for cut in await revocations.all_cuts(START)] == [up_to]
    assert await revocations.now() == at


async def test_recent_is_by_the_clock(record: MemoryRecord, clock: SetClock) -> None:
    revocations, changes = MemoryRevocationStore(record), MemoryChangeFeed(record)
    token = RevokedToken(signing_input_digest("a.b.c"), "jti", "fam", "shop", "shop", "x", START + timedelta(hours=1))
    await revocations.revoke(token)
    await revocations.cut(Consequences(cuts=[Cut(CutKind.KEY, "k1", "x")]))
    await MemoryResourceStore(record).add(RESOURCE)
    clock.at += timedelta(seconds=60)
    tokens, cuts = await revocations.recent(60)
    assert (len(tokens), len(cuts), len(await changes.recent_changes(60))) == (1, 1, 1)
    assert await revocations.recent(59) == ([], [])
    assert await changes.recent_changes(59) == []


async def test_a_write_that_fails_halfway_keeps_nothing(clock: SetClock, counted: list[Event]) -> None:
    def failing_link(event: Event, at: datetime, writer: str, sequence: int, prev_hash: str) -> AuditRow:
        if sequence == 2:
            raise ValueError("cannot be encoded")
        return link(event, at, writer, sequence, prev_hash)

    record = MemoryRecord(clock, failing_link, GENESIS, counted.append)
    resources, revocations = MemoryResourceStore(record), MemoryRevocationStore(record)
    events = [Event(EventKind.RESOURCE_CREATED, "cli:root")] * 2
    with pytest.raises(ValueError, match="encoded"):
        await resources.add(RESOURCE, Consequences(events=events, cuts=[Cut(CutKind.CLIENT, "shop", "x")]))
    assert await resources.list_resources() == []
    assert await revocations.all_cuts(START) == []
    assert await MemoryAuditLog(record).rows() == []
    assert await MemoryChangeFeed(record).recent_changes(60) == []
    assert counted == []
    await resources.add(RESOURCE, Consequences(events=events[:1]))
    assert [row.sequence for row in await MemoryAuditLog(record).rows()] == [1]


async def test_events_carry_the_instant_of_the_clock(record: MemoryRecord, clock: SetClock) -> None:
    clock.at += timedelta(microseconds=7)
    await MemoryAuditLog(record).append(replace(Event(EventKind.KEY_CREATED, "cli:root"), subject="s"))
    assert [row.occurred_at for row in await MemoryAuditLog(record).rows()] == ["2026-03-29T01:59:59.000007+00:00"]
