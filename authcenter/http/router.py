"""Paths to handlers. Every path of this service is exact, so a dictionary finds it.

Written out because aiohttp's application and its middleware cost a third of a bare request; what is used of aiohttp is
its low-level server, requests and responses.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from authcenter.http.responses import Answer

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

Handler = Callable[[web.BaseRequest], Awaitable[Answer]]


def known_method(method: str) -> str:
    """The method, for metrics, logs and spans: of what strangers invent, ``other``."""
    return method if method in _METHODS else "other"


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and what answers it by method."""

    path: str
    handlers: dict[str, Handler] = field(default_factory=dict)

    @property
    def allow(self) -> str:
        """The value of the ``Allow`` header (RFC 9110 §10.2.1)."""
        return ", ".join(sorted(self.handlers))


class Router:
    """Where endpoints mount themselves."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def add_get(self, path: str, handler: Handler) -> None:
        """GET, and HEAD with it."""
        self._add("GET", path, handler)
        self._add("HEAD", path, handler)

    def add_post(self, path: str, handler: Handler) -> None:
        self._add("POST", path, handler)

    def add_options(self, path: str, handler: Handler) -> None:
        self._add("OPTIONS", path, handler)

    def find(self, path: str) -> Route | None:
        return self._routes.get(path)

    def _add(self, method: str, path: str, handler: Handler) -> None:
        route = self._routes.setdefault(path, Route(path))
        if method in route.handlers:
            raise ValueError(f"{method} {path} is mounted twice")
        route.handlers[method] = handler
