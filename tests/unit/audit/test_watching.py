"""The young end of the log, looked at again and again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from authcenter.audit.archive import archive
from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.audit.watching import _MOST_ROWS, YoungRows
from tests.unit.audit.test_verification import OTHER_ROOT, Log


@pytest.fixture
async def log() -> Log:
    """Two chains, a checkpoint over both, and a row behind it."""
    made = Log()
    await made.write("a", 3)
    await made.write("b", 3)
    await made.checkpoint()
    await made.write("a")
    return made


def watch(log: Log) -> YoungRows:
    return YoungRows(log, log.keys)


async def places(rows: YoungRows) -> list[str]:
    return [one.where for one in await rows.look()]


async def test_a_log_that_holds_and_grows(log: Log) -> None:
    rows = watch(log)
    for _ in range(3):
        assert await places(rows) == []
        await log.write("a", 2)
        await log.write("new", 2)
        await log.checkpoint()
    assert await places(rows) == []
    assert not rows.found


def altered(log: Log) -> None:
    log.change("b", 2, event="user.enabled")


def cut_off(log: Log) -> None:
    log.remove("a", 5, 6)


def missing(log: Log) -> None:
    log.remove("a", 5)


def moved(log: Log) -> None:
    log.change("a", 5, prev_hash="0" * 64)


def written_anew(log: Log) -> None:
    log.change("a", 4, actor="somebody else")
    log.write_anew("a", 4)


def chain_gone(log: Log) -> None:
    del log.says["b"]


def checkpoint_altered(log: Log) -> None:
    log.kept[-1] = replace(log.kept[-1], at="2030-01-01T00:00:00.000000+00:00")


BREAKS = [
    pytest.param(altered, "row b:2", id="a young row is altered"),
    pytest.param(cut_off, "row a:5", id="the end is cut off"),
    pytest.param(missing, "row a:5", id="a row is missing"),
    pytest.param(moved, "row a:5", id="a row does not follow"),
    pytest.param(written_anew, "row a:4", id="written anew, with all hashes"),
    pytest.param(chain_gone, "row b:1", id="a chain is gone"),
    pytest.param(checkpoint_altered, "checkpoint 1", id="the last checkpoint is altered"),
]


@pytest.mark.parametrize(("tamper", "where"), BREAKS)
async def test_what_was_tampered_with_since_the_last_look_is_found(
    log: Log, tamper: Callable[[Log], None], where: str
) -> None:
    rows = watch(log)
    assert await places(rows) == []
    await log.write("a", 2)
    tamper(log)
    assert where in await places(rows)
    assert await places(rows) == []
    assert where in rows.found


async def test_what_the_last_checkpoint_has_is_compared_at_the_first_look(log: Log) -> None:
    log.change("a", 3, actor="somebody else")
    log.write_anew("a", 3)
    assert await places(watch(log)) == ["row a:3"]


async def test_a_checkpoint_whose_key_is_not_known_is_no_break(log: Log) -> None:
    assert await places(YoungRows(log, CheckpointKeys.derive([OTHER_ROOT]))) == []


async def test_what_an_archive_has_taken_is_not_missing(log: Log, tmp_path: Path) -> None:
    rows = watch(log)
    assert await places(rows) == []
    await log.write("a", 2)
    assert await archive(log, log.keys, log.clock, "2040-01-01T00:00:00", tmp_path / "archive")
    assert await places(rows) == []
    await log.write("a", 2)
    assert await places(rows) == []
    assert await places(watch(log)) == []


async def test_of_very_many_rows_the_youngest_are_looked_at(log: Log) -> None:
    rows = watch(log)
    assert await places(rows) == []
    await log.write("a", _MOST_ROWS + 100)
    log.remove("a", 50, _MOST_ROWS)
    assert await places(rows) == [f"row a:{_MOST_ROWS}"]
