"""The registry of resources."""

import pytest

from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import EventKind
from authcenter.core.resource import ResourceScope
from tests.workbench import API, Workbench


async def test_made_changed_removed(bench: Workbench) -> None:
    registry = bench.core.resources
    scopes = {"read": ResourceScope("Read it", "reader")}
    await registry.create("urn:x", "X", scopes, "tests")
    assert (await registry.update("urn:x", "Y", None, "tests")).scopes == scopes
    assert (await registry.update("urn:x", None, {}, "tests")).name == "Y"
    await registry.delete("urn:x", "tests")
    with pytest.raises(NotFound):
        await registry.get("urn:x")
    updated = EventKind.RESOURCE_UPDATED
    assert bench.kinds() == [EventKind.RESOURCE_CREATED, updated, updated, EventKind.RESOURCE_DELETED]


async def test_what_is_there_is_not_made_again(bench: Workbench) -> None:
    with pytest.raises(Conflict, match="registered already"):
        await bench.core.resources.create(API, "", {}, "tests")
    for act in (bench.core.resources.update("urn:x", "", None, "tests"), bench.core.resources.delete("urn:x", "tests")):
        with pytest.raises(NotFound):
            await act


BAD = [
    pytest.param("a b", "", {}, "id", id="blank"),
    pytest.param("urn:x#y", "", {}, "id", id="fragment"),
    pytest.param("", "", {}, "id", id="empty"),
    pytest.param("urn:x", "a\nb", {}, "name", id="name"),
    pytest.param("urn:x", "", {"a b": ResourceScope()}, "scope", id="scope"),
    pytest.param("urn:x", "", {"a": ResourceScope("x\n")}, "scope", id="text of a scope"),
    pytest.param("urn:x", "", {"a": ResourceScope("x" * 1_001)}, "scope", id="endless text"),
]


@pytest.mark.parametrize(("resource_id", "name", "scopes", "field"), BAD)
async def test_what_does_not_hold_is_named(
    bench: Workbench, resource_id: str, name: str, scopes: dict[str, ResourceScope], field: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        await bench.core.resources.create(resource_id, name, scopes, "tests")
