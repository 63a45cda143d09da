"""Conformance of ``ResourceStore``."""

import asyncio
from dataclasses import replace

import pytest

from authcenter.core.errors import Conflict
from authcenter.core.resource import Resource
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_resource, recorded


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(a_resource(), id="every field set"),
        pytest.param(Resource("https://" + "x" * 500, "", {}, SOME_TIME, SOME_TIME), id="bare, with a long id"),
        pytest.param(a_resource("urn:o'brien:🦊"), id="awkward id"),
    ],
)
async def test_a_resource_is_read_as_it_was_written(stores: Stores, resource: Resource) -> None:
    await stores.resources.add(resource, recorded())
    assert await stores.resources.find(resource.resource_id) == resource
    assert await stores.resources.list_resources() == [resource]
    assert len(await stores.proven_rows()) == 1


async def test_a_taken_id_is_a_conflict_and_keeps_nothing(stores: Stores) -> None:
    await stores.resources.add(a_resource())
    with pytest.raises(Conflict):
        await stores.resources.add(a_resource(name="other"), recorded())
    assert await stores.resources.list_resources() == [a_resource()]
    assert await stores.proven_rows() == []


async def test_of_concurrent_replacements_one_wins(processes: tuple[Stores, Stores]) -> None:
    await processes[0].resources.add(a_resource())
    contenders = [a_resource(name=f"writer {number}", scopes={}) for number in range(20)]
    answers = await asyncio.gather(
        *(processes[n % 2].resources.replace(resource, recorded()) for n, resource in enumerate(contenders))
    )
    assert answers.count(True) == 1
    won = replace(contenders[answers.index(True)], revision=4)
    assert await processes[1].resources.find(won.resource_id) == won
    assert len(await processes[0].proven_rows()) == 1


async def test_a_replacement_of_another_revision_keeps_nothing(stores: Stores) -> None:
    await stores.resources.add(a_resource())
    assert not await stores.resources.replace(a_resource(revision=2, name="stale"), recorded())
    assert not await stores.resources.replace(a_resource("urn:gone"), recorded())
    assert await stores.resources.list_resources() == [a_resource()]
    assert await stores.proven_rows() == []


async def test_a_resource_is_removed_once(stores: Stores) -> None:
    await stores.resources.add(a_resource())
    assert await stores.resources.remove("https://api.example", recorded())
    assert not await stores.resources.remove("https://api.example", recorded())
    assert await stores.resources.find("https://api.example") is None
    assert len(await stores.proven_rows()) == 1
