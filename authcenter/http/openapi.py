"""``GET /openapi.json``: every endpoint of the service, described (OpenAPI 3.1).

The description is written by hand, an area a file (``authcenter/openapi``), and joined as the service starts. Beside
OpenAPI a file may say ``each``: what every operation of it has; ``kinds``: path items that paths share by
``kind``; and ``any-method``: an operation that answers all methods.
"""

import copy
import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from aiohttp import hdrs, web

from authcenter.core.wire_json import encode
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.settings.document import parse_document

PATH = "/openapi.json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
"""The methods that this service knows, as OpenAPI writes them."""

_AREAS = ("document", "protocol", "apps", "pages", "admin", "probes")
_OF_FILES = ("each", "kinds")
_MAX_AGE = 300


@dataclass(frozen=True, slots=True)
class DescriptionEndpoint:
    """Serves the description. The same bytes until the next start."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, issuer: str) -> "DescriptionEndpoint":
        """Reads the files. Raises ``ValueError``, ``DocumentError``: one of them is broken."""
        body = _encoded(issuer)
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.get)

    async def get(self, request: web.BaseRequest) -> Answer:
        headers = {"Cache-Control": f"public, max-age={_MAX_AGE}", "ETag": self.etag}
        known = [one.strip().removeprefix("W/") for one in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")]
        if self.etag in known:
            return Answer(status=304, headers=headers)
        return Answer(self.body, headers={**headers, "Content-Type": "application/json"})


@functools.cache
def _encoded(issuer: str) -> bytes:
    return encode(description(issuer))


def description(issuer: str) -> dict[str, Any]:
    """The whole document.

    Raises:
        ValueError, DocumentError: A file is broken; or two of them describe the same.
    """
    whole: dict[str, Any] = {}
    for area in _AREAS:
        text = (resources.files("authcenter") / "openapi" / f"{area}.yaml").read_text()
        _join(whole, _expanded(parse_document(text)), area)
    whole["servers"] = [{"url": issuer}]
    return whole


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of all that is described."""
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _expanded(part: dict[str, Any]) -> dict[str, Any]:
    each, kinds = part.get("each", {}), part.get("kinds", {})
    part["paths"] = {path: _item(item, kinds) for path, item in part.get("paths", {}).items()}
    for path, method, operation in operations(part):
        for name, value in each.items():
            own = operation.get(name)
            operation[name] = {**value, **(own or {})} if isinstance(value, dict) else value if own is None else own
        operation.setdefault("operationId", _operation_id(method, path))
        operation["responses"] = dict(sorted(operation["responses"].items()))
    return {name: value for name, value in part.items() if name not in _OF_FILES}


def _item(item: dict[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """A path item without what only our files know."""
    own = dict(item)
    if "kind" in own:
        shared = copy.deepcopy(kinds[own.pop("kind")])
        summary = own.pop("summary")
        own |= {name: {"summary": summary, **value} if name in METHODS else value for name, value in shared.items()}
    if "any-method" in own:
        any_method = own.pop("any-method")
        own |= {method: copy.deepcopy(any_method) for method in METHODS}
    return own


def _operation_id(method: str, path: str) -> str:
    words = "".join(character if character.isalnum() else " " for character in path).split()
    return "_".join([method, *words])


def _join(whole: dict[str, Any], part: Mapping[str, Any], area: str) -> None:
    for name, value in part.items():
        if name not in whole:
            whole[name] = value
        elif isinstance(value, dict) and isinstance(whole[name], dict):
            _join(whole[name], value, area)
        else:
            raise ValueError(f"openapi/{area}.yaml: {name} is described twice")
