"""Consul and the record do not commit together: whatever dies between the two, each change is recorded once."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.errors import StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.core.ids import Kid
from authcenter.settings.errors import ConsulUnavailable
from authcenter.stores.ports.keys import KeysRefused
from tests.integration.keys_in_consul.instances import Deployment, Instance, signer
from tests.integration.stores.samples import SOME_TIME, a_key, an_event, recorded

A, B, C = (a_key(kid, retired_at=None, revoked_at=None) for kid in "abc")
REVOKED = replace(A, revoked_at=SOME_TIME, private_pem="")
REVOCATION = Consequences(events=(an_event(EventKind.KEY_REVOKED),), cuts=(Cut(CutKind.KEY, "a", "leaked"),))


async def cuts(instance: Instance) -> list[tuple[str, str]]:
    return [(cut.value, cut.reason) for cut in await instance.stores.revocations.all_cuts(SOME_TIME)]


async def test_a_change_is_in_consul_in_the_record_and_in_the_audit_log(
    deployment: Deployment, instance: Instance
) -> None:
    await instance.keys.add(A, recorded(EventKind.KEY_CREATED))
    assert await instance.keys.replace(REVOKED, REVOCATION, successor=B)
    assert deployment.document().generation == 2
    assert deployment.document().keys == [REVOKED, B]
    assert await instance.in_the_record.list_keys() == [REVOKED, B]
    assert await instance.events() == ["key.created", "key.revoked"]
    assert await cuts(instance) == [("a", "leaked")]


async def died_after_consul(deployment: Deployment, instance: Instance) -> None:
    """A key is revoked in Consul; whoever did it wrote nothing else."""
    await instance.keys.add(A, recorded(EventKind.KEY_CREATED))
    deployment.write(signer().sign(2, [REVOKED, B], REVOCATION))


async def test_a_record_that_takes_nothing_is_told_once_it_does(deployment: Deployment, instance: Instance) -> None:
    await instance.keys.list_keys()
    with closing(sqlite3.connect(deployment.database_url.partition("///")[2])) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="the keys are changed, generation 1; the audit log has it once"):
            await instance.keys.add(A, recorded(EventKind.KEY_CREATED))
        assert deployment.document().keys == [A]
        assert await instance.kids() == ["a"]
        assert await instance.events() == []
        # Nobody goes on from a change that is not recorded.
        with pytest.raises(StoreUnavailable):
            await instance.keys.add(B)
        assert deployment.document().generation == 1
    await instance.keys.settle()
    assert await instance.events() == ["key.created"]


@pytest.mark.parametrize("settled_by", ["who follows", "who starts", "who writes next", "many at once"])
async def test_what_a_dead_writer_owed_the_record_is_settled_once(
    deployment: Deployment, instance: Instance, tmp_path: Path, settled_by: str
) -> None:
    await died_after_consul(deployment, instance)
    async with Instance(deployment, tmp_path / "two") as other:
        match settled_by:
            case "who follows":
                await instance.keys.offer(deployment.text())
                assert instance.keys.behind
                await instance.keys.settle()
            case "who starts":
                await other.keys.settle()
            case "who writes next":
                await other.keys.add(C)
            case _:
                await asyncio.gather(*(one.keys.settle() for one in (instance, other) for _ in range(2)))
        assert await instance.events() == ["key.created", "key.revoked"]
        assert await cuts(instance) == [("a", "leaked")]
        await instance.keys.settle()
        await other.keys.settle()
        assert not instance.keys.behind
        assert await instance.events() == ["key.created", "key.revoked"]


async def test_a_revocation_that_the_record_never_heard_of_is_cut_all_the_same(
    deployment: Deployment, instance: Instance
) -> None:
    await died_after_consul(deployment, instance)
    deployment.write(signer().sign(3, [REVOKED, B, C]))
    await instance.keys.settle()
    assert await cuts(instance) == [("a", "revoked")]


async def test_of_changes_that_race_none_is_lost(deployment: Deployment, instance: Instance, tmp_path: Path) -> None:
    async with Instance(deployment, tmp_path / "two") as other:
        pair = (instance, other)
        keys = [a_key(f"k{number}") for number in range(4)]
        await asyncio.gather(
            *(pair[n % 2].keys.add(key, recorded(EventKind.KEY_CREATED)) for n, key in enumerate(keys))
        )
        assert await instance.kids() == await other.kids() == [key.kid for key in keys]
        assert await instance.events() == ["key.created"] * 4
        assert deployment.document().generation == 4


async def test_without_consul_nothing_is_written_and_what_is_known_is_told(
    deployment: Deployment, instance: Instance, tmp_path: Path
) -> None:
    await instance.keys.add(A, recorded(EventKind.KEY_CREATED))
    nowhere = replace(deployment, consul=_Nowhere())
    async with Instance(nowhere, tmp_path / "two") as cut_off:
        assert await cut_off.kids() == ["a"]
        writes = (
            cut_off.keys.add(B),
            cut_off.keys.replace(REVOKED, REVOCATION),
            cut_off.keys.drop(Kid("a"), SOME_TIME),
        )
        for write in writes:
            with pytest.raises(ConsulUnavailable):
                await write
        assert await cut_off.events() == ["key.created"]
        assert await instance.kids() == ["a"]


async def test_who_is_cut_off_from_consul_learns_from_the_record_what_others_change(
    deployment: Deployment, instance: Instance, tmp_path: Path
) -> None:
    await instance.keys.add(A)
    async with Instance(replace(deployment, consul=_Nowhere()), tmp_path / "two") as cut_off:
        assert await cut_off.kids() == ["a"]
        cut_off.keys.followed = True
        await instance.keys.add(B)
        assert await cut_off.kids() == ["a"]
        await cut_off.keys.refresh()
        assert await cut_off.kids() == ["a", "b"]


async def test_where_consul_and_the_record_are_silent_nobody_can_tell(deployment: Deployment, tmp_path: Path) -> None:
    nothing = replace(deployment, consul=_Nowhere(), database_url=f"sqlite+aiosqlite:///{tmp_path}/none/x.db")
    async with Instance(nothing, tmp_path / "one") as cut_off:
        with pytest.raises(StoreUnavailable):
            await cut_off.keys.list_keys()


async def test_an_emptied_consul_gets_back_what_is_known(
    deployment: Deployment, instance: Instance, tmp_path: Path
) -> None:
    await instance.keys.add(A)
    await instance.keys.add(B, recorded(EventKind.KEY_CREATED))
    deployment.empty()
    assert await instance.kids() == ["a", "b"]
    async with Instance(deployment, tmp_path / "two") as other:
        restored = await asyncio.gather(instance.keys.settle(), other.keys.settle())
        assert restored.count(True) >= 1
        assert await other.kids() == ["a", "b"]
    assert deployment.document().generation == 2
    assert deployment.document().keys == [A, B]
    assert await instance.events() == ["key.created"]


async def test_a_write_into_an_emptied_consul_goes_on_from_what_is_known(
    deployment: Deployment, instance: Instance
) -> None:
    await instance.keys.add(A)
    deployment.empty()
    await instance.keys.add(B)
    assert (deployment.document().generation, deployment.document().keys) == (2, [A, B])


async def test_the_first_document_is_made_of_the_keys_in_the_record(deployment: Deployment, instance: Instance) -> None:
    await instance.in_the_record.add(A)
    assert await instance.kids() == ["a"]
    assert await instance.keys.settle()
    assert (deployment.document().generation, deployment.document().keys) == (1, [A])
    assert not await instance.keys.settle()


async def test_what_others_wrote_into_the_record_later_does_not_get_into_consul(
    deployment: Deployment, instance: Instance
) -> None:
    await instance.in_the_record.add(A)
    await instance.keys.settle()
    await instance.in_the_record.add(B)
    await instance.keys.settle()
    assert await instance.kids() == ["a"]
    assert deployment.document().keys == [A]


async def test_a_new_deployment_has_no_document_before_it_has_a_key(deployment: Deployment, instance: Instance) -> None:
    assert not await instance.keys.settle()
    with pytest.raises(AssertionError):
        deployment.text()
    assert await instance.keys.list_keys() == []


async def test_the_copy_on_disk_never_goes_back_and_a_damaged_one_is_not_used(
    deployment: Deployment, instance: Instance, tmp_path: Path
) -> None:
    await instance.keys.add(A)
    first = deployment.text()
    await instance.keys.add(B)
    instance.copy.keep(deployment.text(), 2)
    instance.copy.keep(first, 1)
    assert instance.copy.file.stat().st_mode & 0o777 == 0o600
    kept = instance.copy.read()
    assert kept is not None
    assert kept.generation == 2
    instance.copy.file.write_text(deployment.text()[:-9])
    with pytest.raises(KeysRefused):
        instance.copy.read()
    async with Instance(deployment, tmp_path / "one") as started:
        assert await started.kids() == ["a", "b"]
        assert "no keys document" in started.keys.copy_problem
    instance.copy.keep(first, 1)
    assert instance.copy.read() is not None


class _Nowhere:
    """A Consul that is not there."""

    url = "http://127.0.0.1:1"
