"""A push of the policy leaves its row, whatever fails around it; and what could not be told of is not pushed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from authcenter.accounts.oversight import By
from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.errors import AuditFull, Conflict, StoreUnavailable
from authcenter.core.event import Event, EventKind
from authcenter.http.policy_changes import PolicyChanges
from authcenter.settings.file_policies import FilePolicyStore
from authcenter.settings.policy_store import Held, KeptVersion
from tests.workbench import ORIGIN, Workbench

WANTED = "tokens: {access_ttl: 120}"
BY = By("backoffice", ORIGIN)


class Unanswering(FilePolicyStore):
    """Takes a document, and its answer is lost."""

    async def replace(self, over: Held | None, new: KeptVersion) -> bool:
        await super().replace(over, new)
        raise StoreUnavailable("no answer")


@dataclass
class Place:
    """Where policies are pushed to: a file, that stands for Consul."""

    bench: Workbench
    file: Path
    store: type[FilePolicyStore] = field(default=FilePolicyStore)

    @property
    def changes(self) -> PolicyChanges:
        bench = self.bench
        return PolicyChanges(
            bench.policy, bench.stores.clients, bench.core.keys, bench.service.audit, bench.clock, self._opened
        )

    async def push(self, text: str = WANTED, over: str | None = None) -> str:
        return (await self.changes.push(text, BY, cause="api", over=over))[0].after.version

    async def rows(self) -> list[dict[str, Any]]:
        """What the audit log says of pushes."""
        await self.bench.service.audit.flush()
        rows = [row for row in self.bench.record.tables.audit if row.event == EventKind.POLICY_PUSHED]
        return [{**json.loads(row.context), "actor": row.actor, "ip": row.ip} for row in rows]

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[FilePolicyStore]:
        yield self.store(self.file)


@pytest.fixture
async def place(cheap_hashing: PasswordHashing, tmp_path: Path) -> AsyncIterator[Place]:
    bench = await Workbench(cheap_hashing, STATE_DIR=str(tmp_path)).start()
    yield Place(bench, tmp_path / "policy.yaml")
    bench.board.down = False
    await bench.service.audit.close()


async def test_a_push_has_a_row_that_says_who_and_whence(place: Place) -> None:
    first = await place.push("tokens: {access_ttl: 60}")
    second = await place.push()
    by = {"source": "file", "cause": "api", "actor": "backoffice", "ip": ORIGIN.ip}
    assert await place.rows() == [
        {"version": first, "replaced": "", **by},
        {"version": second, "replaced": first, **by},
    ]


async def test_while_the_record_takes_no_rows_that_of_a_push_waits(place: Place) -> None:
    place.bench.board.off |= {"trail.append", "audit.append"}
    version = await place.push()
    assert await place.rows() == []
    assert place.bench.service.audit.depth == 1
    place.bench.board.off.clear()
    await place.bench.service.audit.drain()
    assert [row["version"] for row in await place.rows()] == [version]


async def test_without_the_record_nothing_is_pushed(place: Place) -> None:
    place.bench.board.down = True
    with pytest.raises(StoreUnavailable):
        await place.push()
    assert not place.file.exists()


async def test_where_no_row_has_room_nothing_is_pushed(place: Place) -> None:
    for _ in range(20_000):
        place.bench.service.audit.record(lambda: Event(EventKind.TOKEN_ISSUED, "app"), place.bench.clock.now())
    with pytest.raises(AuditFull):
        await place.push()
    assert not place.file.exists()


async def test_a_push_whose_answer_is_lost_has_a_row_that_says_so(place: Place) -> None:
    place.store = Unanswering
    with pytest.raises(StoreUnavailable, match="no answer"):
        await place.push()
    assert [row["outcome"] for row in await place.rows()] == ["unknown"]


async def test_a_push_over_another_version_is_refused_without_a_row(place: Place) -> None:
    first = await place.push("tokens: {access_ttl: 60}")
    await place.push()
    with pytest.raises(Conflict):
        await place.push("tokens: {access_ttl: 90}", over=first)
    with pytest.raises(Conflict):
        await place.push("tokens: {access_ttl: 90}", over="")
    assert (len(await place.rows()), place.file.read_text()) == (2, WANTED)
