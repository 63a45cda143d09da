"""Conformance of ``ChangeFeed``."""

import asyncio

from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import a_client, a_resource, a_user, recorded


async def test_numbers_rise_with_each_change_of_a_key(processes: tuple[Stores, Stores]) -> None:
    here, elsewhere = processes
    client = a_client(revision=1)
    await here.clients.add(client)
    for revision in (1, 2, 3):
        await here.clients.replace(a_client(revision=revision))
        assert await elsewhere.changes.recent_changes(60) == [("client", "shop", revision + 1)]
    await here.clients.remove("shop")
    await here.clients.add(client)
    assert await elsewhere.changes.recent_changes(60) == [("client", "shop", 6)]


async def test_each_kind_has_keys_of_its_own(stores: Stores) -> None:
    user = a_user()
    await stores.users.add(user, "hash")
    await stores.clients.add(a_client("same"))
    await stores.resources.add(a_resource("same"))
    assert sorted(await stores.changes.recent_changes(60)) == [
        ("client", "same", 1),
        ("resource", "same", 1),
        ("user", user.subject, 1),
    ]
    assert await stores.changes.recent_changes(-60) == []


async def test_a_refused_write_is_no_change(stores: Stores) -> None:
    assert not await stores.clients.remove("nobody", recorded())
    assert not await stores.resources.replace(a_resource())
    assert await stores.changes.recent_changes(60) == []


async def test_no_concurrent_change_is_lost(processes: tuple[Stores, Stores]) -> None:
    async def write(number: int) -> None:
        stores = processes[number % 2]
        client_id = f"client {number}"
        await stores.clients.add(a_client(client_id), [a_resource(f"urn:{number % 5}")])
        await stores.clients.remove(client_id)

    await asyncio.gather(*(write(number) for number in range(40)))
    changes = await processes[0].changes.recent_changes(60)
    assert sorted(number for kind, _, number in changes if kind == "client") == [2] * 40
    assert [number for kind, _, number in changes if kind == "resource"] == [1] * 5
