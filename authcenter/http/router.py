"""Paths to handlers. Most paths of this service are exact, so a dictionary finds them; a few begin a subtree,
or vary in some segments.

Written out because aiohttp's application and its middleware cost a third of a bare request; what is used of aiohttp is
its low-level server, requests and responses.
"""

from collections.abc import Awaitable, Callable, Sequence
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
    """A path, and what answers it by method.

    Attributes:
        path: As metrics and logs have it: what differs from request to request is a name in braces.
        any_method: Answers the methods that ``handlers`` lacks.
    """

    path: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    any_method: Handler | None = None

    def handler(self, method: str) -> Handler | None:
        return self.handlers.get(method, self.any_method)

    @property
    def allow(self) -> str:
        """The value of the ``Allow`` header (RFC 9110 §10.2.1)."""
        return ", ".join(sorted(self.handlers))


class Router:
    """Where endpoints mount themselves."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}
        self._subtrees: dict[str, Route] = {}
        self._patterns: dict[str, tuple[tuple[str, ...], Route]] = {}
        self.otherwise: Handler | None = None
        """Answers at paths that there are not."""

    def add_get(self, path: str, handler: Handler, *, head: bool = True) -> None:
        """GET, and HEAD with it, but where GET does something that is lost on who does not read the answer."""
        self._add("GET", path, handler)
        if head:
            self._add("HEAD", path, handler)

    def add_post(self, path: str, handler: Handler) -> None:
        self._add("POST", path, handler)

    def add_delete(self, path: str, handler: Handler) -> None:
        self._add("DELETE", path, handler)

    def add_patch(self, path: str, handler: Handler) -> None:
        self._add("PATCH", path, handler)

    def add_options(self, path: str, handler: Handler) -> None:
        self._add("OPTIONS", path, handler)

    def add_subtree(self, path: str, handler: Handler, *methods: str) -> None:
        """All paths below ``path``, whose only brace opens its variable part: ``/oauth/status/{list}``.

        Without ``methods`` the handler answers any. It reads the variable part from the request's path itself.
        """
        route = self._subtrees.setdefault(path.partition("{")[0], Route(path, any_method=None if methods else handler))
        for method in methods:
            _mount(route, method, handler)

    def add_pattern(self, method: str, path: str, handler: Handler) -> None:
        """Paths of which some whole segments vary, each a name in braces: ``/users/{subject}/sessions``.

        They are compared before they are decoded, so that a varying segment may hold an encoded slash.
        """
        segments = tuple(path.split("/"))
        _, route = self._patterns.setdefault(path, (segments, Route(path)))
        _mount(route, method, handler)

    def route_of(self, request: web.BaseRequest) -> Route | None:
        """Where a request leads to."""
        return self.find(request.path) or self._matching(request.rel_url.raw_path)

    def _matching(self, raw_path: str) -> Route | None:
        came = raw_path.split("/")
        for segments, route in self._patterns.values():
            if len(came) == len(segments) and all(map(_fits, segments, came)):
                return route
        return None

    @property
    def routes(self) -> Sequence[Route]:
        """All that are mounted."""
        return (*self._routes.values(), *self._subtrees.values(), *(route for _, route in self._patterns.values()))

    def find(self, path: str) -> Route | None:
        """The route of an exact path, or of the subtree that it lies in."""
        route = self._routes.get(path)
        if route is None:
            for start, subtree in self._subtrees.items():
                if path.startswith(start) and len(path) > len(start):
                    return subtree
        return route

    def _add(self, method: str, path: str, handler: Handler) -> None:
        _mount(self._routes.setdefault(path, Route(path)), method, handler)


def _fits(segment: str, came: str) -> bool:
    return bool(came) if segment.startswith("{") else segment == came


def _mount(route: Route, method: str, handler: Handler) -> None:
    if method in route.handlers:
        raise ValueError(f"{method} {route.path} is mounted twice")
    route.handlers[method] = handler
