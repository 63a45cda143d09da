"""A verifier that is opened when the application starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from starlette.applications import Starlette

from authcenter.sdk.aiohttp_guard import bearer_guard
from authcenter.sdk.asgi_guard import AsgiGuard
from authcenter.sdk.opened_later import OpenedLater
from authcenter.sdk.verification import KeysUnavailable, TokenVerification
from tests.unit.sdk.guards.driving import ask
from tests.unit.sdk.guards.resource import bearer, token, verifier
from tests.workbench import API, ISSUER


@asynccontextmanager
async def opener(issuer: str, audience: str) -> AsyncIterator[TokenVerification]:
    assert (issuer, audience) == (ISSUER, API)
    yield verifier()


async def test_it_cannot_tell_before_it_is_open_and_after() -> None:
    later = OpenedLater(ISSUER, API, opener)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            await later.verify(token())
        async with later.opened():
            assert (await later.verify(token(), "read")).client_id == "app"
    with pytest.raises(KeysUnavailable):
        await later.verify(token())


async def test_aiohttp_opens_it_at_its_start() -> None:
    later = OpenedLater(ISSUER, API, opener)
    app = web.Application(middlewares=[bearer_guard(later)])
    app.cleanup_ctx.append(lambda _: later.opened())
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/", headers=bearer())).status == 404
    with pytest.raises(KeysUnavailable):
        await later.verify(token())


async def test_starlette_opens_it_at_its_start() -> None:
    later = OpenedLater(ISSUER, API, opener)
    app = Starlette(lifespan=lambda _: later.opened())
    app.add_middleware(AsgiGuard, verification=later)
    assert (await ask(app, "/", bearer())).status == 503
    async with app.router.lifespan_context(app):
        assert (await ask(app, "/", bearer())).status == 404
