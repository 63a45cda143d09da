"""The guard on ASGI: alone, in Starlette, in FastAPI."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute

from authcenter.core.token import AccessToken
from authcenter.sdk.asgi_guard import AsgiGuard
from authcenter.sdk.asgi_token import access_token, require_scope, token_with
from authcenter.sdk.bearer import NoCredentials
from authcenter.sdk.verification import InsufficientScope
from tests.unit.sdk.guards.driving import ask, connect
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

PUBLIC = ["/public", "/careless"]


async def whoami(request: Request) -> JSONResponse:
    return JSONResponse({"sub": access_token(request).subject})


@require_scope("read", "write")
async def write(request: Request) -> JSONResponse:
    return JSONResponse({"scopes": sorted(access_token(request).scopes)})


@require_scope("read", "write")
def write_in_thread(request: Request) -> JSONResponse:
    return JSONResponse({"scopes": sorted(access_token(request).scopes)})


async def public(request: Request) -> JSONResponse:
    return JSONResponse({"token": "authcenter.access_token" in request.scope})


async def stream(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(chunks())


async def socket(websocket: WebSocket) -> None:
    held = access_token(websocket)
    await websocket.accept()
    await websocket.send_text(held.subject)
    await websocket.close()


@require_scope("write")
async def writing_socket(websocket: WebSocket) -> None:
    await websocket.accept()


def with_starlette(keys: bool = True, **options: Any) -> Starlette:
    routes = [
        Route("/whoami", whoami, methods=["GET", "POST"]),
        Route("/write", write),
        Route("/thread", write_in_thread),
        Route("/public", public),
        Route("/careless", write),
        Route("/stream", stream),
        WebSocketRoute("/socket", socket),
        WebSocketRoute("/writing", writing_socket),
        Mount("/mounted", Starlette(routes=[Route("/write", write)])),
    ]
    return Starlette(
        routes=routes, middleware=[Middleware(AsgiGuard, verification=verifier(keys=keys), public=PUBLIC, **options)]
    )


def with_fastapi(keys: bool = True, **options: Any) -> FastAPI:
    app = FastAPI()
    app.add_middleware(AsgiGuard, verification=verifier(keys=keys), public=PUBLIC, **options)

    @app.api_route("/whoami", methods=["GET", "POST"])
    async def _(held: Annotated[AccessToken, Depends(token_with())]) -> dict[str, str]:
        return {"sub": held.subject}

    @app.get("/write")
    @app.get("/careless")
    async def _(held: Annotated[AccessToken, Depends(token_with("read", "write"))]) -> dict[str, list[str]]:
        return {"scopes": sorted(held.scopes)}

    @app.get("/thread")
    @require_scope("read", "write")
    def _(request: Request) -> dict[str, list[str]]:
        return {"scopes": sorted(access_token(request).scopes)}

    @app.get("/public")
    async def _(request: Request) -> dict[str, bool]:
        return {"token": "authcenter.access_token" in request.scope}

    @app.get("/stream")
    async def _(request: Request) -> StreamingResponse:
        return await stream(request)

    @app.websocket("/socket")
    async def _(websocket: WebSocket) -> None:
        await socket(websocket)

    @app.websocket("/writing")
    async def _(websocket: WebSocket, _held: Annotated[AccessToken, Depends(token_with("write"))]) -> None:
        await websocket.accept()

    mounted = FastAPI()

    @mounted.get("/write")
    async def _(held: Annotated[AccessToken, Depends(token_with("read", "write"))]) -> dict[str, list[str]]:
        return {"scopes": sorted(held.scopes)}

    app.mount("/mounted", mounted)
    return app


Build = Callable[..., Any]


@pytest.fixture(params=[with_starlette, with_fastapi], ids=["starlette", "fastapi"])
def build(request: pytest.FixtureRequest) -> Build:
    made: Build = request.param
    return made


REFUSALS = [
    pytest.param([], "", 401, NO_CREDENTIALS, id="no credentials"),
    pytest.param([("Authorization", "Basic YTpi")], "", 401, NO_CREDENTIALS, id="another scheme"),
    pytest.param([("Authorization", "Bearer")], "", 400, INVALID_REQUEST, id="no token"),
    pytest.param([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], "", 400, INVALID_REQUEST, id="two"),
    pytest.param([], "access_token=x", 400, INVALID_REQUEST, id="token in the query"),
    pytest.param([("Authorization", "Bearer x")], "", 401, INVALID_TOKEN, id="no JWT"),
    pytest.param(list(bearer(exp=1).items()), "", 401, INVALID_TOKEN, id="expired"),
    pytest.param(list(bearer(aud=OTHER_API).items()), "", 401, INVALID_TOKEN, id="for another resource"),
]


@pytest.mark.parametrize(("headers", "query", "status", "challenge"), REFUSALS)
async def test_a_request_without_a_good_token_is_refused_as_the_rfc_has_it(
    build: Build, headers: list[tuple[str, str]], query: str, status: int, challenge: str
) -> None:
    answer = await ask(build(), "/whoami", headers, query=query)
    assert (answer.status, answer.headers["www-authenticate"]) == (status, challenge)
    assert answer.headers["content-length"] == str(len(answer.body))
    assert ("error=" in challenge) == bool(answer.body)


async def test_the_endpoint_gets_the_token_typed(build: Build) -> None:
    answer = await ask(build(), "/whoami", {"authorization": f"bEARER {token(sub='usr_alice')}"})
    assert (answer.status, json.loads(answer.body)) == (200, {"sub": "usr_alice"})


@pytest.mark.parametrize("path", ["/write", "/thread", "/mounted/write"])
async def test_scopes_of_an_endpoint(build: Build, path: str) -> None:
    app = build()
    answer = await ask(app, path, bearer())
    assert (answer.status, answer.headers["www-authenticate"]) == (403, insufficient("read write"))
    assert answer.error is None
    answer = await ask(app, path, bearer(scope="write read"))
    assert (answer.status, json.loads(answer.body)) == (200, {"scopes": ["read", "write"]})


async def test_a_guard_around_the_application_answers_for_it_too(build: Build) -> None:
    """There the framework's own error handling has seen the refusal before the guard does."""
    inner = build()
    inner.user_middleware.clear()
    app = AsgiGuard(inner, verifier())
    answer = await ask(app, "/write", bearer())
    assert (answer.status, answer.headers["www-authenticate"], answer.error) == (403, insufficient("read write"), None)


async def test_middleware_that_runs_the_application_in_a_task_of_its_own_changes_nothing(build: Build) -> None:
    app = build()

    async def through(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        return await call_next(request)

    app.user_middleware.append(Middleware(BaseHTTPMiddleware, dispatch=through))
    assert (await ask(app, "/write", bearer())).status == 403
    assert (await ask(app, "/write", bearer(scope="read write"))).status == 200


async def test_scopes_of_the_whole_server(build: Build) -> None:
    answer = await ask(build(scopes=["admin"]), "/whoami", bearer())
    assert (answer.status, answer.headers["www-authenticate"]) == (403, insufficient("admin"))


async def test_not_being_able_to_tell_is_503_and_never_401(build: Build) -> None:
    answer = await ask(build(keys=False), "/whoami", bearer())
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    assert "www-authenticate" not in answer.headers


async def test_a_public_path_needs_no_token_and_gets_none(build: Build) -> None:
    for headers in ({}, bearer(), {"authorization": "Bearer rubbish"}):
        answer = await ask(build(), "/public", headers)
        assert (answer.status, json.loads(answer.body)) == (200, {"token": False})


async def test_a_path_that_only_decodes_to_a_public_one_needs_a_token(build: Build) -> None:
    assert (await ask(build(), "/public", raw_path=b"/publi%63")).status == 401


async def test_a_public_path_whose_endpoint_wants_a_scope_is_refused(build: Build) -> None:
    answer = await ask(build(), "/careless", bearer(scope="read write"))
    assert (answer.status, answer.headers["www-authenticate"]) == (401, NO_CREDENTIALS)


async def test_a_preflight_passes_and_any_other_options_request_does_not(build: Build) -> None:
    preflight = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    app = build()
    assert (await ask(app, "/whoami", preflight, method="OPTIONS")).status == 405  # the application's own answer
    assert (await ask(app, "/whoami", {"origin": "https://shop.example"}, method="OPTIONS")).status == 401
    assert (await ask(app, "/whoami", preflight, method="POST")).status == 401
    assert (await ask(build(pass_preflight=False), "/whoami", preflight, method="OPTIONS")).status == 401


async def test_cors_works_in_front_of_the_guard_and_behind_it(build: Build) -> None:
    preflight = {"origin": "https://shop.example", "access-control-request-method": "GET"}
    cors = Middleware(CORSMiddleware, allow_origins=["https://shop.example"])
    for place in (0, 1):
        app = build()
        app.user_middleware.insert(place, cors)
        answer = await ask(app, "/whoami", preflight, method="OPTIONS")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")


async def test_the_metadata_document_is_public(build: Build) -> None:
    app = build(scopes_supported=["read"])
    path = METADATA.removeprefix(API)
    answer = await ask(app, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {
        "resource": API,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["read"],
        "bearer_methods_supported": ["header"],
    }
    assert (await ask(app, path, method="POST")).status == 401


async def test_an_answer_is_passed_on_chunk_by_chunk(build: Build) -> None:
    answer = await ask(build(), "/stream", bearer())
    assert [chunk for chunk in answer.chunks if chunk] == [b"one", b"two"]


async def test_a_websocket_with_a_token_is_let_in(build: Build) -> None:
    answer = await connect(build(), "/socket", bearer(sub="usr_alice"))
    assert [message.get("text") for message in answer.messages] == [None, "usr_alice", None]
    assert answer.kinds == ["websocket.accept", "websocket.send", "websocket.close"]


SOCKETS = [
    pytest.param({}, "/socket", True, 401, 1008, id="no token"),
    pytest.param({"authorization": "Bearer x"}, "/socket", True, 401, 1008, id="no good token"),
    pytest.param(bearer(), "/writing", True, 403, 1008, id="without the scope"),
    pytest.param(bearer(), "/socket", False, 503, 1013, id="cannot tell"),
]


@pytest.mark.parametrize(("headers", "path", "keys", "status", "code"), SOCKETS)
async def test_a_websocket_without_is_denied_before_it_is_accepted(
    build: Build, headers: dict[str, str], path: str, keys: bool, status: int, code: int
) -> None:
    answered = await connect(build(keys=keys), path, headers, can_answer=True)
    assert answered.kinds == ["websocket.http.response.start", "websocket.http.response.body"]
    assert answered.status == status
    closed = await connect(build(keys=keys), path, headers)
    assert [(message["type"], message["code"]) for message in closed.messages] == [("websocket.close", code)]
    assert (answered.error, closed.error) == (None, None)


async def test_a_websocket_that_is_refused_after_it_was_accepted_is_closed() -> None:
    @require_scope("write")
    def wanted() -> None:
        """Anything that only some may do."""

    async def late(websocket: WebSocket) -> None:
        await websocket.accept()
        wanted()

    app = AsgiGuard(Starlette(routes=[WebSocketRoute("/", late)]), verifier())
    answer = await connect(app, "/", bearer(), can_answer=True)
    assert answer.kinds == ["websocket.accept", "websocket.close"]
    assert (answer.messages[-1]["code"], answer.error) == (1008, None)


async def test_an_answer_that_had_begun_before_the_refusal_is_not_mended(build: Build) -> None:
    """Nothing can be taken back by then: the connection breaks off, as for any failure."""
    app = build()

    async def begun(request: Request) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"one"
            await token_with("write")()

        return StreamingResponse(chunks())

    app.router.routes.append(Route("/begun", begun))
    answer = await ask(app, "/begun", bearer())
    assert (answer.status, answer.chunks, type(answer.error)) == (200, [b"one"], InsufficientScope)


async def test_the_applications_own_failure_stays_its_own(build: Build) -> None:
    app = build()

    async def broken(request: Request) -> None:
        raise RuntimeError("a defect")

    app.router.routes.append(Route("/broken", broken))
    answer = await ask(app, "/broken", bearer())
    assert (answer.status, type(answer.error)) == (500, RuntimeError)


async def test_the_applications_start_is_passed_through() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        seen.append("started")
        yield
        seen.append("stopped")

    app = AsgiGuard(Starlette(lifespan=lifespan), verifier())
    incoming, sent = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    assert seen == ["started", "stopped"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_protocol_that_the_guard_does_not_know_is_not_let_in() -> None:
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    with pytest.raises(ValueError, match="webtransport"):
        await AsgiGuard(app, verifier())({"type": "webtransport", "headers": []}, app, app)  # type: ignore[arg-type]
    assert not reached


async def test_what_lies_in_the_scope_already_is_no_token() -> None:
    """A server or an outer middleware cannot be made to hand in a token by a request to a public path."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        access_token(scope)

    scope = {"type": "http", "method": "GET", "path": "/public", "headers": [], "authcenter.access_token": object()}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await AsgiGuard(app, verifier(), public=PUBLIC)(scope, app, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 401


async def test_without_a_guard_no_endpoint_takes_a_request_for_one_that_was_let_in(build: Build) -> None:
    app = build()
    app.user_middleware.clear()
    answer = await ask(app, "/write", bearer(scope="read write"))
    assert (answer.status, type(answer.error)) == (500, NoCredentials)
