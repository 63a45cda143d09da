"""Conformance of ``ClientStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.client import Client
from authcenter.core.cut import CutKind
from authcenter.core.errors import Conflict
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import (
    LONG_ID,
    SOME_TIME,
    a_bare_client,
    a_client,
    a_resource,
    cutting,
    recorded,
)


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(a_client(), id="every field set"),
        pytest.param(a_bare_client(), id="nothing optional set"),
        pytest.param(a_client(LONG_ID), id="long id"),
        pytest.param(a_client('o\'brien 🦊 "x" %_'), id="awkward id"),
    ],
)
async def test_a_client_is_read_as_it_was_written(stores: Stores, client: Client) -> None:
    await stores.clients.add(client)
    assert await stores.clients.find(client.client_id) == client
    assert await stores.clients.list_clients() == [client]


async def test_an_unknown_client_is_none(stores: Stores) -> None:
    await stores.clients.add(a_client("shop"))
    assert await stores.clients.find("SHOP") is None


async def test_clients_are_listed_by_id(stores: Stores) -> None:
    for client_id in ("c", "a", "b"):
        await stores.clients.add(a_client(client_id))
    assert [client.client_id for client in await stores.clients.list_clients()] == ["a", "b", "c"]


async def test_a_taken_id_is_a_conflict_and_keeps_nothing(stores: Stores) -> None:
    await stores.clients.add(a_client())
    with pytest.raises(Conflict):
        await stores.clients.add(a_bare_client("shop"), [a_resource()], recorded())
    assert await stores.clients.find("shop") == a_client()
    assert await stores.resources.list_resources() == []
    assert await stores.proven_rows() == []
    assert stores.counted == []


async def test_resources_come_with_a_client_unless_they_are_there(stores: Stores) -> None:
    there = a_resource("https://a.example", name="as it was")
    await stores.resources.add(there)
    await stores.clients.add(a_client(), [a_resource("https://a.example"), a_resource("https://b.example")])
    assert await stores.resources.list_resources() == [there, a_resource("https://b.example")]
    changes = {(kind, key): number for kind, key, number in await stores.changes.recent_changes(60)}
    assert changes == {
        ("client", "shop"): 1,
        ("resource", "https://a.example"): 1,
        ("resource", "https://b.example"): 1,
    }


async def test_a_client_is_replaced_field_by_field(stores: Stores) -> None:
    await stores.clients.add(a_bare_client("shop"))
    assert await stores.clients.replace(a_client(revision=1), [a_resource()], recorded())
    assert await stores.clients.find("shop") == a_client(revision=2)
    assert await stores.resources.find("https://api.example") == a_resource()
    assert len(await stores.proven_rows()) == 1

    bare_again = replace(a_bare_client("shop"), revision=2, cut_at=a_client().cut_at)
    assert await stores.clients.replace(bare_again)
    assert await stores.clients.find("shop") == replace(bare_again, revision=3)


@pytest.mark.parametrize(
    "client", [pytest.param(a_client(revision=6), id="stale"), pytest.param(a_client("x"), id="gone")]
)
async def test_a_replacement_of_another_revision_keeps_nothing(stores: Stores, client: Client) -> None:
    await stores.clients.add(a_client())
    assert not await stores.clients.replace(client, [a_resource()], recorded())
    assert await stores.clients.list_clients() == [a_client()]
    assert await stores.resources.list_resources() == []
    assert await stores.proven_rows() == []
    assert stores.counted == []


async def test_of_concurrent_replacements_one_wins(processes: tuple[Stores, Stores]) -> None:
    await processes[0].clients.add(a_client())
    contenders = [a_client(name=f"writer {number}") for number in range(20)]
    writes = [processes[n % 2].clients.replace(c, (), recorded(n=n)) for n, c in enumerate(contenders)]
    answers = await asyncio.gather(*writes)
    assert answers.count(True) == 1
    won = contenders[answers.index(True)]
    assert await processes[0].clients.find("shop") == replace(won, revision=8)
    assert len(await processes[0].proven_rows()) == 1


async def test_of_concurrent_additions_one_wins(processes: tuple[Stores, Stores]) -> None:
    writes = [processes[n % 2].clients.add(a_client(name=f"writer {n}"), [a_resource()], recorded()) for n in range(20)]
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert len(await processes[0].proven_rows()) == 1


async def test_a_client_is_removed_once(stores: Stores) -> None:
    await stores.clients.add(a_client())
    assert await stores.clients.remove("shop", recorded())
    assert await stores.clients.find("shop") is None
    assert not await stores.clients.remove("shop", recorded())
    assert len(await stores.proven_rows()) == 1
    assert ("client", "shop", 2) in await stores.changes.recent_changes(60)


async def test_a_replacement_does_not_undo_a_cut_made_meanwhile(stores: Stores) -> None:
    read = a_client(cut_at=None)
    await stores.clients.add(read)
    await stores.revocations.cut(cutting(CutKind.CLIENT, "shop", up_to=SOME_TIME))
    assert await stores.clients.replace(replace(read, name="new"))
    assert await stores.clients.find("shop") == replace(read, name="new", cut_at=SOME_TIME, revision=8)


async def test_a_client_cut_moves_forward_only(stores: Stores) -> None:
    await stores.clients.add(a_client(cut_at=None))
    for hours, marked in ((1, 1), (3, 3), (2, 3)):
        await stores.revocations.cut(cutting(CutKind.CLIENT, "shop", up_to=SOME_TIME + timedelta(hours=hours)))
        client = await stores.clients.find("shop")
        assert client is not None
        assert client.cut_at == SOME_TIME + timedelta(hours=marked)
