"""``/oauth/register``: dynamic client registration (RFC 7591) and its management (RFC 7592)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.clients.registration import ClientRegistration
from authcenter.core.errors import TokenRejected, bearer_missing, invalid_token
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.credentials import bearer_token
from authcenter.http.json_bodies import read_json
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router

PATH = "/oauth/register"


@dataclass(frozen=True, slots=True)
class RegistrationEndpoint:
    """The client registration endpoint, and the client configuration endpoint below it."""

    registration: ClientRegistration
    issuer: str

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self._guarded(self.post))
        for handler, method in ((self.get, "GET"), (self.put, "PUT"), (self.delete, "DELETE")):
            router.add_subtree(f"{PATH}/{{client_id}}", self._guarded(handler), method)

    async def post(self, request: web.BaseRequest) -> Answer:
        self.registration.check_on()
        token, notes = _bearer(request), request[NOTES]
        registered = await self.registration.register(await read_json(request), token, notes.origin)
        notes.client_id = registered.client.client_id
        return no_store(encode(registered.document(self._url)), 201)

    async def get(self, request: web.BaseRequest) -> Answer:
        own = await self.registration.read(_client_id(request), _bearer(request), request[NOTES].origin)
        return no_store(encode(own.document(self._url)))

    async def put(self, request: web.BaseRequest) -> Answer:
        client_id, token = _client_id(request), _bearer(request)
        document = await read_json(request)
        changed = await self.registration.update(client_id, document, token, request[NOTES].origin)
        return no_store(encode(changed.document(self._url)))

    async def delete(self, request: web.BaseRequest) -> Answer:
        await self.registration.remove(_client_id(request), _bearer(request), request[NOTES].origin)
        return Answer(status=204, lines=NO_STORE)

    @property
    def _url(self) -> str:
        return f"{self.issuer}{PATH}"

    def _guarded(
        self, handler: Callable[[web.BaseRequest], Awaitable[Answer]]
    ) -> Callable[[web.BaseRequest], Awaitable[Answer]]:
        async def guarded(request: web.BaseRequest) -> Answer:
            try:
                return await handler(request)
            except TokenRejected as rejected:
                if hdrs.AUTHORIZATION not in request.headers:
                    raise bearer_missing(rejected.hint) from rejected
                raise invalid_token(rejected.reason, rejected.rule, rejected.hint) from rejected

        return guarded


def _bearer(request: web.BaseRequest) -> str | None:
    """The token of the request; whether one is needed is the registration's to say."""
    return bearer_token(request) if hdrs.AUTHORIZATION in request.headers else None


def _client_id(request: web.BaseRequest) -> str:
    client_id = request.path.removeprefix(f"{PATH}/")
    request[NOTES].client_id = client_id
    return client_id
