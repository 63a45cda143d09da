"""Chromium, one a worker, and the sites it visits; each test has a context of its own, as empty as a new profile."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.site import Site, open_site
from tests.servers.certificates import self_signed
from tests.servers.npm_package import AXE, cached_package
from tests.servers.require import missing, require

_HANG_MILLISECONDS = 60_000


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder that ``AUTHCENTER_SCREENSHOTS`` names, else one of pytest's."""
    named = os.environ.get("AUTHCENTER_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's script."""
    folder = cached_package(*AXE) or missing(f"{AXE[0]} is not installed")
    return (folder / "axe.min.js").read_text()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = require("chromium")
    expect.set_options(timeout=_HANG_MILLISECONDS)
    # Chromium's sandbox refuses root; its shared memory is small in containers.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=arguments, timeout=_HANG_MILLISECONDS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Over http, as a developer has it. Asked for after Chromium: without that nothing is started."""
    async with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def named_site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Over http at a name, where browsers make passkeys."""
    async with open_site(tmp_path_factory.mktemp("named-site"), named=True) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def secure_site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Over TLS, as people have it."""
    folder = tmp_path_factory.mktemp("secure-site")
    async with open_site(folder / "authcenter", self_signed(folder / "tls")) as opened:
        yield opened


class Contexts:
    """Opens contexts, and closes them when the test is over."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._opened: list[BrowserContext] = []

    async def open(self, **options: Any) -> Page:
        """A page in a new context."""
        context = await self._browser.new_context(**{"locale": "en-US", "ignore_https_errors": True, **options})
        context.set_default_timeout(_HANG_MILLISECONDS)
        self._opened.append(context)
        return await context.new_page()

    async def close(self) -> None:
        for context in self._opened:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def contexts(chromium: Browser) -> AsyncIterator[Contexts]:
    opened = Contexts(chromium)
    yield opened
    await opened.close()
