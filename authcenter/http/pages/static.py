"""``/static/…``: the style sheet, and the one script."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from aiohttp import web

from authcenter.core.errors import ErrorCode
from authcenter.http.discovery import cacheable
from authcenter.http.responses import Answer, error
from authcenter.http.router import Router

_PATH = "/static/{file}"
_MAX_AGE_SECONDS = 3600
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """Files of this package, read once: by name, body, entity tag and type."""

    files: Mapping[str, tuple[bytes, str, str]]

    def mount(self, router: Router) -> None:
        router.add_subtree(_PATH, self.get, "GET", "HEAD")

    async def get(self, request: web.BaseRequest) -> Answer:
        found = self.files.get(request.path.removeprefix("/static/"))
        if found is None:
            return error(ErrorCode.NOT_FOUND, "There is nothing here.", 404)
        body, etag, content_type = found
        return cacheable(request, body, etag, content_type, _MAX_AGE_SECONDS)


def load_static_files() -> StaticFiles:
    """Those of this installation."""
    found: dict[str, tuple[bytes, str, str]] = {}
    for file in (files("authcenter") / "static").iterdir():
        body = file.read_bytes()
        suffix = f".{file.name.rpartition('.')[2]}"
        found[file.name] = (body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', _TYPES[suffix])
    return StaticFiles(found)
