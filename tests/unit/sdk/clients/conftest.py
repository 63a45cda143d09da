"""An authorization server that a test writes the answers of, and the clock of its clients."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.sdk.clients.scripted import Scripted, Ticks


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with Scripted() as started:
        yield started


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()
