"""Fetching from servers that mean no good."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from authcenter.sdk.fetching import LARGEST_DOCUMENT, AiohttpFetch, FetchFailed, open_fetch
from tests.servers.ports import free_port


async def _document(request: web.Request) -> web.Response:
    if request.headers.get("If-None-Match") == '"1"':
        return web.Response(status=304, headers={"ETag": '"1"'})
    return web.json_response({"cookies": len(request.cookies)}, headers={"ETag": '"1"', "Age": "7"})


async def _redirect(request: web.Request) -> web.Response:
    raise web.HTTPFound("/document")


async def _large(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * (LARGEST_DOCUMENT + 1))


async def _largest(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * LARGEST_DOCUMENT)


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 65_536)


async def _bomb(request: web.Request) -> web.Response:
    return web.Response(body=gzip.compress(b"x" * 50_000_000), headers={"Content-Encoding": "gzip"})


async def _cookie(request: web.Request) -> web.Response:
    answer = web.json_response({})
    answer.set_cookie("session", "1")
    return answer


@pytest.fixture
async def url() -> AsyncIterator[str]:
    application = web.Application()
    for handler in (_document, _redirect, _large, _largest, _endless, _bomb, _cookie):
        application.router.add_get(f"/{handler.__name__[1:]}", handler)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def fetch() -> AsyncIterator[AiohttpFetch]:
    async with open_fetch(60) as opened:
        yield opened


async def test_a_document_comes_with_what_caching_needs(url: str, fetch: AiohttpFetch) -> None:
    answer = await fetch.get(f"{url}/document")
    assert (answer.status, answer.etag, answer.age, answer.cache_control) == (200, '"1"', "7", "")
    assert (await fetch.get(f"{url}/document", answer.etag)).status == 304


async def test_a_redirect_is_an_answer_and_not_followed(url: str, fetch: AiohttpFetch) -> None:
    assert (await fetch.get(f"{url}/redirect")).status == 302


@pytest.mark.parametrize("name", ["large", "endless"])
async def test_a_document_over_the_limit_is_none(url: str, fetch: AiohttpFetch, name: str) -> None:
    with pytest.raises(FetchFailed, match="over"):
        await fetch.get(f"{url}/{name}")


async def test_a_document_at_the_limit_is_one(url: str, fetch: AiohttpFetch) -> None:
    assert len((await fetch.get(f"{url}/largest")).body) == LARGEST_DOCUMENT


async def test_what_is_compressed_unasked_is_not_unfolded(url: str, fetch: AiohttpFetch) -> None:
    assert len((await fetch.get(f"{url}/bomb")).body) <= LARGEST_DOCUMENT


async def test_cookies_are_not_kept(url: str, fetch: AiohttpFetch) -> None:
    await fetch.get(f"{url}/cookie")
    assert (await fetch.get(f"{url}/document")).body == b'{"cookies": 0}'


async def test_nobody_there_is_a_failure_and_so_is_what_is_no_url(fetch: AiohttpFetch) -> None:
    for bad in (f"http://127.0.0.1:{free_port()}/document", "http://", "no url", "file:///etc/hostname"):
        with pytest.raises(FetchFailed):
            await fetch.get(bad)


async def test_an_answer_that_does_not_come_is_a_failure() -> None:
    async def silent(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    application = web.Application()
    application.router.add_get("/", silent)
    async with TestServer(application) as server, open_fetch(0.1) as fetch:
        with pytest.raises(FetchFailed):
            await fetch.get(str(server.make_url("/")))
