"""`Expect: 100-continue` (RFC 9110 §10.1.1): curl waits for the go-ahead before it sends a large body."""

import asyncio

from aiohttp.test_utils import RawTestServer

from tests.workbench import Workbench


async def test_a_client_that_waits_is_told_to_go_on(bench: Workbench) -> None:
    async with RawTestServer(bench.service.public) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = b"grant_type=client_credentials"
        head = (
            b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
        )
        writer.write(head + f"Content-Length: {len(body)}\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert await reader.readline() == b"\r\n"
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()
