"""The workbench, as fixtures."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.http.server import Listener
from tests.workbench import CHEAP, Workbench


@pytest.fixture(scope="session")
def cheap_hashing() -> Iterator[PasswordHashing]:
    made = PasswordHashing(CHEAP, workers=2)
    yield made
    made.close()


@pytest.fixture
async def bench(cheap_hashing: PasswordHashing) -> Workbench:
    return await Workbench(cheap_hashing).start()


@pytest.fixture
def waits(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the service slept; the clock goes on meanwhile."""
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float, *_: object) -> None:
        if seconds:
            slept.append(seconds)
            bench.clock.advance(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


@pytest.fixture
async def web(bench: Workbench) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser's or client's view of the public listener."""
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as session:
        yield session
    # Not drained: nothing is under way, and draining gives whoever has connected the time to speak.
    await listener.runner.cleanup()
