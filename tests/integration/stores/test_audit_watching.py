"""The watch over the young end of the audit log, on every backend."""

from dataclasses import replace
from pathlib import Path

from authcenter.audit.archive import archive
from authcenter.audit.watching import YoungRows
from authcenter.core.clock import SystemClock
from tests.integration.stores.backends import KEYS, Stores
from tests.integration.stores.test_audit_trail import chain, sign


async def places(watch: YoungRows) -> list[str]:
    return [one.where for one in await watch.look()]


async def test_rows_that_do_not_hold_are_found_and_others_are_not(stores: Stores) -> None:
    watch = YoungRows(stores.trail, KEYS)
    assert await places(watch) == []
    good, bad, short = chain("good", 600), chain("bad", 4), chain("short", 4)
    for rows in (good[:3], bad[:3], short[:2]):
        await stores.trail.append(rows)
    await sign(stores)
    assert await places(watch) == []
    await stores.trail.append(good[3:])
    await stores.trail.append([replace(bad[3], event="user.enabled")])
    await stores.trail.append([short[3]])
    assert sorted(await places(watch)) == ["row bad:4", "row short:3"]
    assert await places(watch) == []


async def test_what_an_archive_has_taken_is_not_missing(stores: Stores, tmp_path: Path) -> None:
    rows, watch = chain("w", 6), YoungRows(stores.trail, KEYS)
    await stores.trail.append(rows[:3])
    await sign(stores)
    assert await places(watch) == []
    assert await archive(stores.trail, KEYS, SystemClock(), rows[2].occurred_at, tmp_path / "archive") is not None
    await stores.trail.append(rows[3:])
    assert await places(watch) == []
    assert await places(YoungRows(stores.trail, KEYS)) == []
