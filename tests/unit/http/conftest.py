"""The pages over HTTP, and a browser that looks at them."""

from collections.abc import AsyncIterator

import pytest

from authcenter.http.server import Listener
from tests.unit.http.browsing import Tab
from tests.unit.http.device_and_logout_pages import add_shop
from tests.workbench import Workbench


@pytest.fixture
async def address(bench: Workbench) -> AsyncIterator[str]:
    """The service with the client ``shop`` of ``device_and_logout_pages``."""
    await add_shop(bench)
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.runner.cleanup()


@pytest.fixture
def tab(address: str) -> Tab:
    return Tab(address)
