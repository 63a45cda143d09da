"""The guard on aiohttp, over real connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

from authcenter.sdk.aiohttp_guard import ACCESS_TOKEN, access_token, bearer_guard, require_scope
from tests.unit.sdk.guards.resource import (
    INVALID_REQUEST,
    INVALID_TOKEN,
    METADATA,
    NO_CREDENTIALS,
    bearer,
    insufficient,
    token,
    verifier,
)
from tests.workbench import API, ISSUER, OTHER_API

Serve = Callable[..., Any]


async def whoami(request: web.Request) -> web.Response:
    return web.json_response({"sub": request[ACCESS_TOKEN].subject})


@require_scope("read", "write")
async def write(request: web.Request) -> web.Response:
    return web.json_response({"scopes": sorted(access_token(request).scopes)})


async def any_method(request: web.Request) -> web.Response:
    return web.json_response({"sub": access_token(request).subject})


async def public(request: web.Request) -> web.Response:
    return web.json_response({"token": ACCESS_TOKEN in request})


async def stream(request: web.Request) -> web.StreamResponse:
    """Answers each chunk as it comes: only possible where nothing is buffered."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for chunk in request.content.iter_any():
        await response.write(chunk)
    return response


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    clients: list[TestClient[Any, Any]] = []

    async def start(keys: bool = True, **options: Any) -> TestClient[Any, Any]:
        guard = bearer_guard(verifier(keys=keys), public=["/public", "/careless"], **options)
        app = web.Application(middlewares=[guard])
        app.router.add_get("/whoami", whoami)
        app.router.add_route("*", "/any", any_method)
        app.router.add_get("/public", public)
        app.router.add_get("/careless", write)
        app.router.add_get("/write", write)
        app.router.add_post("/stream", stream)
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


REFUSALS = [
    pytest.param({}, "", 401, NO_CREDENTIALS, id="no credentials"),
    pytest.param({"Authorization": "Basic YTpi"}, "", 401, NO_CREDENTIALS, id="another scheme"),
    pytest.param({"Authorization": "Bearer"}, "", 400, INVALID_REQUEST, id="no token"),
    pytest.param({}, "?access_token=x", 400, INVALID_REQUEST, id="token in the query"),
    pytest.param({"Authorization": "Bearer x"}, "", 401, INVALID_TOKEN, id="no JWT"),
    pytest.param(bearer(exp=1), "", 401, INVALID_TOKEN, id="expired"),
    pytest.param(bearer(aud=OTHER_API), "", 401, INVALID_TOKEN, id="for another resource"),
    pytest.param(bearer(iss="https://evil.example"), "", 401, INVALID_TOKEN, id="of another issuer"),
]


@pytest.mark.parametrize(("headers", "query", "status", "challenge"), REFUSALS)
async def test_a_request_without_a_good_token_is_refused_as_the_rfc_has_it(
    serve: Serve, headers: dict[str, str], query: str, status: int, challenge: str
) -> None:
    client = await serve()
    async with client.get(f"/whoami{query}", headers=headers) as answer:
        assert (answer.status, answer.headers.getall("WWW-Authenticate")) == (status, [challenge])
        assert answer.headers["Cache-Control"] == "no-store"
        body = await answer.text()
    presented = headers.get("Authorization", "").partition(" ")[2]
    assert len(presented) < 5 or presented not in body
    assert ("error=" in challenge) == bool(body)


async def test_several_authorization_headers_are_refused(serve: Serve) -> None:
    client = await serve()
    twice = CIMultiDict([("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token()}")])
    async with client.get("/whoami", headers=twice) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (400, INVALID_REQUEST)


async def test_a_token_in_the_body_is_none(serve: Serve) -> None:
    client = await serve()
    async with client.post("/whoami", data={"access_token": token()}) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, NO_CREDENTIALS)


async def test_the_handler_gets_the_token_typed(serve: Serve) -> None:
    client = await serve()
    async with client.get("/whoami", headers=bearer(sub="usr_alice")) as answer:
        assert (answer.status, await answer.json()) == (200, {"sub": "usr_alice"})


async def test_a_path_that_does_not_exist_needs_a_token_too(serve: Serve) -> None:
    client = await serve()
    assert (await client.get("/nothing")).status == 401
    assert (await client.get("/nothing", headers=bearer())).status == 404


async def test_scopes_of_a_handler(serve: Serve) -> None:
    client = await serve()
    async with client.get("/write", headers=bearer()) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (403, insufficient("read write"))
        assert (await answer.json())["error"] == "insufficient_scope"
    async with client.get("/write", headers=bearer(scope="write read more")) as answer:
        assert (answer.status, await answer.json()) == (200, {"scopes": ["more", "read", "write"]})


async def test_scopes_of_the_whole_server(serve: Serve) -> None:
    client = await serve(scopes=["admin"])
    async with client.get("/whoami", headers=bearer()) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (403, insufficient("admin"))


async def test_not_being_able_to_tell_is_503_and_never_401(serve: Serve) -> None:
    client = await serve(keys=False)
    async with client.get("/whoami", headers=bearer()) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
        assert "WWW-Authenticate" not in answer.headers
        assert (await answer.json())["error"] == "temporarily_unavailable"
    async with client.get("/whoami") as answer:
        assert answer.status == 401


async def test_a_public_path_needs_no_token_and_gets_none(serve: Serve) -> None:
    client = await serve()
    for headers in ({}, bearer(), {"Authorization": "Bearer rubbish"}):
        async with client.get("/public", headers=headers) as answer:
            assert (answer.status, await answer.json()) == (200, {"token": False})


async def test_a_public_path_whose_handler_wants_a_scope_is_refused(serve: Serve) -> None:
    client = await serve()
    async with client.get("/careless", headers=bearer(scope="read write")) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, NO_CREDENTIALS)


async def test_a_preflight_passes_and_any_other_options_request_does_not(serve: Serve) -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    client = await serve()
    assert (await client.options("/public", headers=preflight)).status == 405  # the application's own answer
    assert (
        await client.options("/any", headers=preflight)
    ).status == 401  # a handler that wants the token all the same
    assert (await client.options("/whoami", headers={"Origin": "https://shop.example"})).status == 401
    assert (await client.get("/whoami", headers=preflight)).status == 401
    strict = await serve(pass_preflight=False)
    assert (await strict.options("/whoami", headers=preflight)).status == 401


async def test_the_metadata_document_is_public(serve: Serve) -> None:
    client = await serve(scopes=["read"], scopes_supported=["write"], metadata={"resource_name": "Orders"})
    path = METADATA.removeprefix(API)
    async with client.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert json.loads(await answer.text()) == {
            "resource_name": "Orders",
            "resource": API,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
        }
    assert (await client.post(path)).status == 401


async def test_bodies_stream_through(serve: Serve) -> None:
    client = await serve()
    answered = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        await answered.wait()  # the second half goes out only after half of the answer has come
        yield b"two"

    async with client.post("/stream", data=chunks(), headers=bearer()) as answer:
        first = await answer.content.readexactly(3)
        answered.set()
        assert (first, await answer.read()) == (b"one", b"two")


async def test_without_a_guard_no_handler_takes_a_request_for_one_that_was_let_in() -> None:
    app = web.Application()
    app.router.add_get("/write", write)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/write", headers=bearer(scope="read write"))).status == 500
