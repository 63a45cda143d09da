"""A process that leaves: whoever is connected may ask once more, and is told to go."""

import asyncio
import socket

import aiohttp

from authcenter.http.server import Listener
from tests.workbench import Workbench

HANG_SECONDS = 60
KEYS = "/.well-known/jwks.json"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_who_is_connected_asks_once_more_and_is_told_to_leave(bench: Workbench) -> None:
    opened = await Listener(bench.service.public, "127.0.0.1", 0, leave_seconds=HANG_SECONDS).open()
    async with asyncio.timeout(HANG_SECONDS), aiohttp.ClientSession(f"http://127.0.0.1:{opened.port}") as session:
        async with session.get(KEYS) as answer:
            await answer.read()
        bench.service.health.closing = True
        leaving = asyncio.create_task(opened.drain())
        while await asyncio.to_thread(listens, opened.port):
            await asyncio.sleep(0.01)
        async with session.get(KEYS) as answer:
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            await answer.read()
        await leaving
