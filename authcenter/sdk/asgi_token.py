"""The token that let an ASGI request in, for the code behind the guard.

Found on the request (``access_token(request)``; Starlette's requests and WebSockets are such mappings, as is the ASGI
scope) or, without one in hand, in the context of the request: that is how ``require_scope`` works on any endpoint and
``token_with`` as a dependency of FastAPI, without either being imported here.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from authcenter.core.token import AccessToken
from authcenter.sdk.bearer import NoCredentials
from authcenter.sdk.scope_check import check_scopes, checked_scopes
from authcenter.sdk.verification import InsufficientScope

_P = ParamSpec("_P")
_R = TypeVar("_R")

KEY = "authcenter.access_token"
"""Where the guard puts it in the ASGI scope."""


@dataclass(slots=True)
class Visit:
    """One request behind the guard.

    Attributes:
        token: None on public paths.
        refused: What ``require_scope`` or ``token_with`` raised meanwhile.
    """

    token: AccessToken | None
    refused: InsufficientScope | NoCredentials | None = None

    def checked(self, scopes: tuple[str, ...]) -> AccessToken:
        """The token, which has all of these scopes."""
        if self.token is None:
            raise NoCredentials("the path is public")
        check_scopes(self.token, scopes)
        return self.token


_visit: ContextVar[Visit | None] = ContextVar("authcenter.visit", default=None)


@contextmanager
def entered(visit: Visit) -> Iterator[None]:
    """The guard's part: this request is the one, as long as the block runs."""
    before = _visit.set(visit)
    try:
        yield
    finally:
        _visit.reset(before)


def access_token(request: Mapping[str, Any]) -> AccessToken:
    """The token that let a request in; ``request`` is Starlette's request or WebSocket, or the ASGI scope.

    Raises:
        NoCredentials: None did: a public path, or no guard before the application.
    """
    token = request.get(KEY)
    if not isinstance(token, AccessToken):
        raise NoCredentials("no guard has let this request in")
    return token


def token_with(*scopes: str) -> Callable[[], Awaitable[AccessToken]]:
    """A dependency: ``token: Annotated[AccessToken, Depends(token_with("orders:read"))]``.

    Resolves to the token, and refuses (403 ``insufficient_scope``) where it lacks one of ``scopes``.
    """
    required = checked_scopes(scopes)

    async def token() -> AccessToken:
        return _required(required)

    return token


def require_scope(*scopes: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """A decorator for endpoints, with ``async`` or without: only with a token that has all of these scopes (403)."""
    required = checked_scopes(scopes)

    def decorate(endpoint: Callable[_P, _R]) -> Callable[_P, _R]:
        if inspect.iscoroutinefunction(endpoint):

            @functools.wraps(endpoint)
            async def scoped(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                _required(required)
                return await endpoint(*args, **kwargs)

            return cast("Callable[_P, _R]", scoped)

        @functools.wraps(endpoint)
        def scoped_in_thread(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            _required(required)
            return endpoint(*args, **kwargs)

        return scoped_in_thread

    return decorate


def _required(scopes: tuple[str, ...]) -> AccessToken:
    visit = _visit.get()
    if visit is None:
        raise NoCredentials("no guard has let this request in")
    try:
        return visit.checked(scopes)
    except (InsufficientScope, NoCredentials) as refused:
        visit.refused = refused
        raise
