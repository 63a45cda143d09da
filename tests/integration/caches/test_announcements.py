"""Every write of the record is announced to the other processes, after it is committed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from authcenter.core.clock import SystemClock
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.errors import Conflict
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from authcenter.wiring.record import sql_stores
from tests.integration.stores.samples import a_client, a_resource, a_user


async def test_what_a_transaction_has_changed_is_announced_once_it_is_committed(tmp_path: Path) -> None:
    database, told = Database(f"sqlite+aiosqlite:///{tmp_path / 'authcenter.db'}"), list[tuple[str, str]]()
    await upgrade_schema(database)

    async def announce(changes: Sequence[tuple[str, str]]) -> None:
        told.extend(changes)
        assert await stores.clients.find("shop")

    stores = sql_stores(database, SystemClock(), lambda _: None, announce)
    client, resource, user = a_client("shop", cut_at=None), a_resource("https://api.example"), a_user()

    await stores.clients.add(client, (resource,))
    assert set(told) == {("client", "shop"), ("resource", "https://api.example")}
    told.clear()

    await stores.users.add(user, "hash")
    assert told == [("user", user.subject)]
    told.clear()

    # A cut marks the row of whose tokens it refuses, whichever store it came through.
    cut = Cut(CutKind.CLIENT, "shop", "test", until_now=True, expires_at=client.created_at)
    await stores.revocations.cut(Consequences(cuts=(cut,)))
    assert told == [("client", "shop")]
    told.clear()

    with pytest.raises(Conflict):
        await stores.clients.add(client)
    assert not await stores.clients.remove("nobody")
    assert told == []
    await database.close()
