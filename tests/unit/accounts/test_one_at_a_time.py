"""Turns by key."""

import asyncio

import pytest

from authcenter.accounts.one_at_a_time import OneAtATime


async def test_those_with_one_key_go_one_after_the_other_and_others_beside_them() -> None:
    turns, inside, most = OneAtATime(), {"a": 0, "b": 0}, {"a": 0, "b": 0, "all": 0}

    async def work(key: str) -> None:
        async with turns.turn(key):
            inside[key] += 1
            most[key] = max(most[key], inside[key])
            most["all"] = max(most["all"], sum(inside.values()))
            await asyncio.sleep(0)
            inside[key] -= 1

    await asyncio.gather(*(work(key) for key in "abab" * 10))
    assert most == {"a": 1, "b": 1, "all": 2}


async def test_who_fails_or_gives_up_leaves_the_others_their_turn() -> None:
    turns, done = OneAtATime(), asyncio.Event()

    async def fail() -> None:
        async with turns.turn("a"):
            await done.wait()
            raise ValueError

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(fail())
    await asyncio.sleep(0)
    waiting.cancel()
    done.set()
    with pytest.raises(ValueError):
        await failing
    async with turns.turn("a"):
        assert waiting.cancelled()
    assert turns == OneAtATime(), "nothing is kept of who has left"
