"""What a service asks the authorization server for itself: its own tokens, and what others' are worth."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from authcenter.core.errors import Unavailable
from authcenter.sdk.aiohttp_guard import access_token, bearer_guard
from authcenter.sdk.bearer_requests import bearer_requests
from authcenter.sdk.client_credentials import ClientCredentials, TokenRefused
from authcenter.sdk.connection import open_verifier
from authcenter.sdk.introspection import IntrospectionClient
from authcenter.sdk.strict_verification import StrictVerification
from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service
from tests.unit.sdk.clients.scripted import Ticks

_STOCK = "https://stock.example"
_HANG_SECONDS = 60


async def eventually(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is one: while the client leaves the server alone, it says so."""
    async with asyncio.timeout(_HANG_SECONDS):
        while True:
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(0.05)


def asking(service: Service, client: Credentials, **options: Any) -> Any:
    named = {"issuer": service.process.url, "client_id": client.client_id, "client_secret": client.secret}
    return {**named, "timeout_seconds": _HANG_SECONDS, **options}


@pytest.fixture(scope="module")
def caller(service: Service) -> Credentials:
    """A client whose id has to be encoded."""
    return service.operator.client("till:1+2", "client_credentials", scopes=frozenset({"take"}), audiences=[_STOCK])


@pytest.fixture(scope="module")
def stock(service: Service) -> Credentials:
    return service.operator.client("stock", serves=[_STOCK])


async def test_a_service_calls_another_with_tokens_of_its_own(
    service: Service, caller: Credentials, stock: Credentials
) -> None:
    async def take(request: web.Request) -> web.Response:
        return web.json_response({"by": access_token(request, "take").client_id})

    ticks = Ticks()
    mine = asking(service, caller, scopes=["take"], resource=_STOCK, monotonic=ticks)
    async with (
        open_verifier(service.process.url, _STOCK, timeout_seconds=_HANG_SECONDS) as verifier,
        IntrospectionClient(**asking(service, stock)) as introspection,
        ClientCredentials(**mine) as credentials,
    ):
        app = web.Application(middlewares=[bearer_guard(StrictVerification(verifier, introspection))])
        app.router.add_post("/take", take)
        async with TestServer(app) as api:
            url = api.make_url("/take")
            middleware = bearer_requests(credentials, str(api.make_url("/")))
            async with aiohttp.ClientSession(middlewares=[middleware]) as session:
                async with session.post(url, json={}) as answer:
                    assert (answer.status, await answer.json()) == (200, {"by": "till:1+2"})
                before = await credentials.token()
                service.api.post("/oauth/revoke", {"token": before, **caller.form()})
                async with session.post(url, json={}) as answer:
                    assert answer.status == 401  # the token has just been fetched: another would fare no better
                ticks.at += 6
                async with session.post(url, json={}) as answer:
                    assert answer.status == 200
                assert await credentials.token() != before


async def test_a_service_lives_on_its_token_while_the_authorization_server_is_gone(
    service: Service, caller: Credentials, stock: Credentials
) -> None:
    async with (
        IntrospectionClient(**asking(service, stock)) as introspection,
        ClientCredentials(**asking(service, caller)) as credentials,
    ):
        token = await credentials.token()
        found = await introspection.introspect(token)
        assert found is not None
        assert (found.client_id, found.scopes, found.audience) == ("till:1+2", {"take"}, (_STOCK,))

        service.process.kill()
        try:
            assert await credentials.token() == token
            with pytest.raises(Unavailable):
                await credentials.token(resource=_STOCK)
            with pytest.raises(Unavailable):
                await introspection.introspect(token)
        finally:
            service.process.start()
        assert await eventually(lambda: introspection.introspect(token))
        assert await eventually(lambda: credentials.token(resource=_STOCK)) != token


async def test_a_refresh_token_is_active_until_it_is_spent(service: Service) -> None:
    client = service.operator.client("desk", "password", "refresh_token", audiences=[_STOCK])
    service.operator.user("dora")
    issued = service.api.issue(client, "password", username="dora", password=PASSWORD)
    async with IntrospectionClient(**asking(service, client)) as introspection:
        found = await introspection.introspect(issued["refresh_token"], hint="refresh_token")
        assert found is not None
        assert found.client_id == "desk"
        service.api.issue(client, "refresh_token", refresh_token=issued["refresh_token"])
        assert await introspection.introspect(issued["refresh_token"]) is None
        assert await introspection.introspect("acr_never.issued") is None


async def test_a_client_with_a_wrong_secret_is_told_the_code_and_asks_no_more(
    service: Service, caller: Credentials
) -> None:
    async with ClientCredentials(**asking(service, caller, client_secret="wrong")) as credentials:
        with pytest.raises(TokenRefused) as refused:
            await credentials.token()
        assert (refused.value.code, refused.value.status) == ("invalid_client", 401)
    async with IntrospectionClient(**asking(service, caller, client_secret="wrong")) as introspection:
        with pytest.raises(Unavailable):
            await introspection.introspect("acr_any.token")
