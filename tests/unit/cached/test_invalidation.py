"""What other processes write is forgotten here."""

from dataclasses import replace

import pytest

from authcenter.core.errors import StoreUnavailable
from authcenter.core.rules import Rule
from tests.workbench import Workbench, refused

FIND = "clients.find"


async def loads(bench: Workbench, client: str = "app") -> int:
    bench.board.asked.clear()
    await bench.ask("client_credentials", client=client)
    return bench.board.asked.count(FIND)


async def test_only_what_changed_is_loaded_anew(bench: Workbench) -> None:
    await bench.follow()
    assert [await loads(bench, client) for client in ("app", "other", "app")] == [1, 1, 0]
    await bench.core.clients.update("app", lambda old: replace(old, name="x"), "tests")
    assert await loads(bench) == 0
    await bench.follow()
    assert [await loads(bench, client) for client in ("app", "other")] == [1, 0]
    await bench.follow()
    assert await loads(bench) == 0


async def test_a_rotated_secret_is_accepted_after_the_next_poll(bench: Workbench) -> None:
    await bench.ask("client_credentials")
    _, secret = await bench.core.clients.rotate_secret("app", "tests", end_old=True)
    with refused(Rule.CLIENT_SECRET_WRONG):
        await bench.ask("client_credentials", secret=secret.reveal())
    await bench.follow()
    await bench.ask("client_credentials", secret=secret.reveal())
    with refused(Rule.CLIENT_SECRET_WRONG):
        await bench.ask("client_credentials")


async def test_after_a_gap_everything_is_forgotten(bench: Workbench) -> None:
    await bench.follow()
    await loads(bench)
    bench.clock.advance(31)
    await bench.follow()
    assert await loads(bench) == 1


async def test_a_feed_that_does_not_answer_makes_nothing_be_forgotten(bench: Workbench) -> None:
    await bench.follow()
    await loads(bench)
    bench.board.down = True
    assert not await bench.service.follower.step()
    assert await loads(bench) == 0
    with pytest.raises(StoreUnavailable):
        await loads(bench, "other")
