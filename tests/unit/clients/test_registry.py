"""The registry: secrets, cuts, and writers who meet."""

from dataclasses import replace
from typing import Any

import pytest

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.registry import ClientRegistry
from authcenter.core.client import AuthMethod, Client
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import EventKind
from authcenter.core.resource import ResourceScope
from authcenter.core.rules import Rule
from tests.workbench import API, Workbench, refused, rejected


async def test_a_created_client_can_be_read_but_its_secret_cannot(bench: Workbench) -> None:
    client = await bench.client("svc", audiences=(API, "urn:new"), serves=frozenset({"urn:served"}))
    assert await bench.core.clients.get("svc") == client
    assert bench.secrets["svc"] not in repr(bench.record.tables.clients)
    assert bench.secrets["svc"] not in repr(bench.record.tables.audit)
    assert {"urn:new", "urn:served"} <= set(bench.record.tables.resources)
    assert bench.kinds() == [EventKind.CLIENT_CREATED]


async def test_an_audience_that_is_registered_stays_as_it_is(bench: Workbench) -> None:
    await bench.core.resources.update(API, "The API", {"read": ResourceScope("Read")}, "tests")
    await bench.client("svc", audiences=(API,))
    assert bench.record.tables.resources[API].name == "The API"


async def test_an_id_is_taken_once(bench: Workbench) -> None:
    with pytest.raises(Conflict, match="app is taken"):
        await bench.client("app")


async def test_a_public_client_gets_no_secret(bench: Workbench) -> None:
    client = await bench.client("spa", auth_methods=frozenset({AuthMethod.NONE}))
    assert client.secrets == ()
    assert "spa" not in bench.secrets
    with pytest.raises(InvalidInput, match="does not authenticate with a secret"):
        await bench.core.clients.rotate_secret("spa", "tests")


async def live(bench: Workbench, *secrets: str) -> list[bool]:
    client = await bench.core.clients.get("app")
    return [await bench.core.secrets.verify(client, secret) for secret in secrets]


async def test_of_rotated_secrets_the_newest_two_live(bench: Workbench) -> None:
    secrets = [bench.secrets["app"]]
    for _ in range(3):
        secrets.append((await bench.core.clients.rotate_secret("app", "tests"))[1].reveal())
    assert await live(bench, *secrets) == [False, False, True, True]
    assert bench.kinds() == [EventKind.CLIENT_SECRET_ROTATED] * 3


async def test_old_secrets_can_be_ended_at_once(bench: Workbench) -> None:
    await bench.core.clients.rotate_secret("app", "tests")
    secret = (await bench.core.clients.rotate_secret("app", "tests", end_old=True))[1].reveal()
    assert len((await bench.core.clients.get("app")).secrets) == 1
    assert await live(bench, secret, bench.secrets["app"]) == [True, False]


async def test_disabling_refuses_the_client_and_all_it_was_given(bench: Workbench) -> None:
    answer = await bench.issue()
    await bench.core.clients.disable("app", "tests")
    await bench.follow()
    with refused(Rule.CLIENT_DISABLED):
        await bench.ask("client_credentials")
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(answer.access)
    assert bench.ended(answer.refresh)
    with pytest.raises(Conflict):
        await bench.core.clients.disable("app", "tests")


async def test_enabling_takes_nothing_back_that_was_given_before(bench: Workbench) -> None:
    before = await bench.issue()
    await bench.core.clients.disable("app", "tests")
    await bench.core.clients.enable("app", "tests")
    bench.clock.advance(2)
    await bench.follow()
    assert not await bench.active(before.access)
    after = await bench.issue()
    assert await bench.active(after.access)
    assert await bench.active(after.refresh)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(before.refresh)
    with pytest.raises(Conflict):
        await bench.core.clients.enable("app", "tests")


async def test_deleting_refuses_all_it_was_given_and_a_new_client_of_that_id_begins_afresh(bench: Workbench) -> None:
    token = (await bench.ask("client_credentials")).access
    await bench.core.clients.delete("app", "tests")
    await bench.follow()
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)
    with pytest.raises(NotFound):
        await bench.core.clients.delete("app", "tests")
    await bench.client("app", grants=frozenset({"client_credentials"}), audiences=(API,))
    bench.clock.advance(2)
    await bench.follow()
    assert await bench.core.verifier.read((await bench.ask("client_credentials")).access)
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)


async def test_an_update_keeps_what_it_does_not_name(bench: Workbench) -> None:
    before = await bench.core.clients.get("app")
    bench.clock.advance(5)
    await bench.core.clients.update("app", lambda old: replace(old, name="New"), "tests")
    after = await bench.core.clients.get("app")
    assert after == replace(before, name="New", updated_at=bench.clock.now(), revision=before.revision + 1)


async def test_an_update_is_checked(bench: Workbench) -> None:
    before = bench.record.tables
    with pytest.raises(InvalidInput, match=r"^scope: "):
        await bench.core.clients.update("app", lambda old: replace(old, scopes=frozenset({"a b"})), "tests")
    assert bench.record.tables is before


@pytest.mark.parametrize("act", ["update", "disable", "enable", "rotate_secret", "delete"])
async def test_what_is_not_there_is_named(bench: Workbench, act: str) -> None:
    arguments: tuple[Any, ...] = (lambda old: old, "tests") if act == "update" else ("tests",)
    with pytest.raises(NotFound, match="nobody"):
        await getattr(bench.core.clients, act)("nobody", *arguments)


class Contended:
    """A store before which somebody else writes the same client, some number of times."""

    def __init__(self, bench: Workbench, times: int) -> None:
        self._store, self._bench, self._times = bench.stores.clients, bench, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def replace(self, client: Client, *rest: Any) -> bool:
        if self._times:
            self._times -= 1
            await self._bench.core.clients.rotate_secret(client.client_id, "somebody")
        return bool(await self._store.replace(client, *rest))


async def test_of_two_who_write_at_once_neither_is_lost(bench: Workbench) -> None:
    store: Any = Contended(bench, 3)
    registry = ClientRegistry(
        store, bench.core.secrets, bench.clock, frozenset({"client_credentials"}), bench.core.clients.longest_token
    )

    def only_own_tokens(old: ClientMetadata) -> ClientMetadata:
        return replace(old, name="Renamed", grants=frozenset({"client_credentials"}))

    await registry.update("app", only_own_tokens, "tests")
    client = await bench.core.clients.get("app")
    assert client.name == "Renamed"
    assert len(client.secrets) == 2
    assert not await bench.core.secrets.verify(client, bench.secrets["app"])


async def test_who_always_comes_second_is_told(bench: Workbench) -> None:
    store: Any = Contended(bench, 1_000)
    registry = replace(bench.core.clients, store=store)
    with pytest.raises(Conflict, match="changed by others"):
        await registry.update("app", lambda old: replace(old, name="x"), "tests")
