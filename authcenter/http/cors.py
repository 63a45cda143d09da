"""Cross-origin requests (Fetch standard): who may read an answer in a browser. Never with credentials."""

from dataclasses import dataclass, field

from aiohttp import web

from authcenter.clients.origins import allowed_origins, origin_of
from authcenter.core.errors import StoreUnavailable
from authcenter.http.context import NOTES
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

_EXPOSED = "WWW-Authenticate, DPoP-Nonce, X-Request-Id"
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


@dataclass(frozen=True, slots=True)
class ClientCors:
    """Opens the answers of the endpoints that clients call to the clients' own origins."""

    clients: ClientLookup
    _methods: dict[str, str] = field(default_factory=dict)

    def mount_preflight(self, router: Router, path: str, methods: str = "POST") -> None:
        """Open the answers of ``path``; those of all others stay closed."""
        self._methods[path] = methods
        router.add_options(path, self.preflight)

    async def preflight(self, request: web.BaseRequest) -> Answer:
        """A preflight names no client: any origin may ask; whether it may read the answer is decided by the answer."""
        headers = {"Access-Control-Allow-Methods": self._methods[request.path], **_PREFLIGHT}
        origin = request.headers.get("Origin", "")
        if origin_of(origin) == origin:
            headers["Access-Control-Allow-Origin"] = origin
        return Answer(status=204, headers=headers)

    async def expose(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Let the page that sent the request read the answer, where its origin is one of the named client's."""
        client_id = request[NOTES].client_id
        if client_id is None or request.path not in self._methods:
            return
        response.headers["Vary"] = "Origin"
        try:
            client = await self.clients.find(client_id)
        except StoreUnavailable:
            return
        origin = request.headers.get("Origin", "")
        if client is not None and origin in allowed_origins(client):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED


async def public_preflight(_: web.BaseRequest) -> Answer:
    """The preflight of what anybody may read."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Max-Age": "86400",
    }
    return Answer(status=204, headers=headers)
