"""SIGTERM while requests are under way: they are answered, nobody else is let in, and the exit code is 0."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess

_SLOW = 50
_LOGINS = 12


@pytest.fixture
def leaving(directory: Path) -> Iterator[Service]:
    yield from serving(AuthcenterProcess(directory))


def request(form: str) -> bytes:
    head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(form)}\r\n\r\n{form}".encode()


def listens(service: Service) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", service.process.port)) == 0


async def test_requests_under_way_are_answered(leaving: Service) -> None:
    client: Credentials = leaving.operator.client("leaving", "client_credentials", "password")
    leaving.operator.user("leaving")
    secret = f"client_id=leaving&client_secret={client.secret}"
    login = request(f"grant_type=password&username=leaving&password={PASSWORD.replace(' ', '+')}&{secret}")
    slow = request(f"grant_type=client_credentials&{secret}")
    port = leaving.process.port

    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(_SLOW + _LOGINS)]
    for _, writer in connections[:_SLOW]:
        writer.write(slow[:-10])
    for _, writer in connections[_SLOW:]:
        writer.write(login)
    # All have been read once a request that came after them is answered.
    assert leaving.api.ask(client).status_code == 200

    os.kill(leaving.process.child.pid, signal.SIGTERM)
    await asyncio.to_thread(until, lambda: not listens(leaving), "nobody else is let in")
    for _, writer in connections[:_SLOW]:
        writer.write(slow[-10:])
    answers = await asyncio.gather(*(reader.read() for reader, _ in connections))

    assert {one.partition(b"\r\n")[0] for one in answers} == {b"HTTP/1.1 200 OK"}
    assert all(b"access_token" in one for one in answers)
    for _, writer in connections:
        writer.close()
    assert await asyncio.to_thread(leaving.process.stop) == 0
