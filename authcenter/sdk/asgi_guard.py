"""The guard of a resource server on ASGI: Starlette, FastAPI, and whatever else speaks it.

    app.add_middleware(AsgiGuard, verification=verifier, public=["/healthz"])

Every request and every WebSocket needs a token but those for public paths, for the metadata document, and CORS
preflights (``OPTIONS`` with ``Origin`` and ``Access-Control-Request-Method``), which reach the application without one
(``pass_preflight=False``: not those either; then add the CORS middleware after this one, so that it comes first). A
WebSocket is denied before it is accepted, with the same answer where the server can send one, else closed with 1008
(1013: try again later). A token that expires later does not close it. Bodies are neither read nor buffered.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from authcenter.core.token import AccessToken
from authcenter.sdk.admission import METADATA_HEADERS, Admission
from authcenter.sdk.asgi_token import KEY, Visit, entered
from authcenter.sdk.bearer import Denial, NoCredentials
from authcenter.sdk.verification import InsufficientScope, TokenVerification

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


class AsgiGuard:
    """Lets in who brings a good token, and answers all others as RFC 6750 and RFC 9728 have it."""

    def __init__(
        self,
        app: AsgiApp,
        verification: TokenVerification,
        *,
        scopes: Sequence[str] = (),
        scopes_supported: Sequence[str] = (),
        public: Sequence[str] = (),
        pass_preflight: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Args:
        scopes: All of which every guarded request needs.
        scopes_supported: Further ones, for the metadata document.
        public: Paths that need no token: exactly this one, or with ``/*`` at the end everything below it.
        pass_preflight: Let CORS preflights through without a token.
        metadata: Further members of the metadata document (``resource_name`` …).

        Raises:
            ValueError: A scope or a path that cannot be one.
        """
        self._app = app
        self._admission = Admission(
            verification,
            scopes=scopes,
            scopes_supported=scopes_supported,
            public=public,
            pass_preflight=pass_preflight,
            metadata=metadata,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"}:
            raise ValueError(f"the guard knows no {scope['type']!a:.40} and lets nothing in that it does not know")
        method = scope.get("method", "")
        path = _path_as_sent(scope)
        if path == self._admission.metadata_path and method in {"GET", "HEAD"}:
            await _send_answer(scope, send, Denial(200, METADATA_HEADERS, self._admission.metadata or b""))
            return
        # An outer guard's token, or whatever else lies there, is none that this one let in.
        scope.pop(KEY, None)
        if self._admission.is_public(path) or self._admission.passes_preflight(
            method, lambda name: bool(_values(scope, name))
        ):
            await self._enter(scope, receive, send, None)
            return
        admitted = await self._admission.admit(_values(scope, "Authorization"), _text(scope.get("query_string", b"")))
        if isinstance(admitted, Denial):
            await _deny(scope, _Receiving(receive), send, admitted)
            return
        scope[KEY] = admitted
        await self._enter(scope, receive, send, admitted)

    async def _enter(self, scope: Scope, receive: Receive, send: Send, token: AccessToken | None) -> None:
        visit = Visit(token)
        receiving = _Receiving(receive)
        sending = _Sending(scope, send, visit, self._admission)
        with entered(visit):
            try:
                await self._app(scope, receiving, sending)
            except (InsufficientScope, NoCredentials) as refused:
                if sending.denied:
                    return
                if not sending.begun:
                    await _deny(scope, receiving, send, self._admission.denial(refused))
                elif scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
                else:
                    raise


class _Receiving:
    """What the application receives, and whether that has begun."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.begun = False

    async def __call__(self) -> Message:
        self.begun = True
        return await self._receive()


class _Sending:
    """What the application sends. Its own 500 for a refusal that ran through its error handling becomes the denial."""

    def __init__(self, scope: Scope, send: Send, visit: Visit, admission: Admission) -> None:
        self._scope, self._send, self._visit, self._admission = scope, send, visit, admission
        self.begun = self.denied = False

    async def __call__(self, message: Message) -> None:
        if self.denied:
            return
        refused = self._visit.refused
        if refused is not None and not self.begun and message.get("status") == 500:
            self.begun = self.denied = True
            await _send_answer(self._scope, self._send, self._admission.denial(refused))
            return
        self.begun = True
        await self._send(message)


async def _deny(scope: Scope, receiving: _Receiving, send: Send, denial: Denial) -> None:
    if scope["type"] == "websocket" and not receiving.begun:
        # The ASGI specification has the application answer once the handshake has arrived.
        await receiving()
    await _send_answer(scope, send, denial)


async def _send_answer(scope: Scope, send: Send, denial: Denial) -> None:
    prefix = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            code = _TRY_AGAIN_LATER if denial.status == 503 else _POLICY_VIOLATION
            await send({"type": "websocket.close", "code": code, "reason": ""})
            return
        prefix = "websocket.http"
    headers = [(name.lower().encode(), value.encode()) for name, value in denial.headers.items()]
    headers.append((b"content-length", str(len(denial.body)).encode()))
    await send({"type": f"{prefix}.response.start", "status": denial.status, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": denial.body})


def _path_as_sent(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"]
    # As it was sent it matters only where something in it was encoded; servers need not give it.
    return _text(raw).partition("?")[0] if raw and b"%" in raw else path


def _values(scope: Scope, name: str) -> list[str]:
    wanted = name.lower().encode()
    return [_text(value) for key, value in scope["headers"] if key.lower() == wanted]


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
