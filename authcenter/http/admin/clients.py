"""``/admin/v1/clients``: who may ask for tokens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.clients.documents import changed_metadata, client_description, new_metadata
from authcenter.clients.registry import ClientRegistry
from authcenter.core.client import Client
from authcenter.core.members import Members
from authcenter.core.secret import Secret
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.paging import PARAMETERS, page, wanted_page
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router

_CLIENTS = "/clients"
_CLIENT = "/clients/{client_id}"

Settle = Callable[[str], Awaitable[None]]
"""Lets this process know at once what was done to a client."""


@dataclass(frozen=True, slots=True)
class ClientsEndpoints:
    """List, make, look, change, remove, disable, enable, give a new secret.

    Attributes:
        settle: Other instances learn it within the bound of revocations; this one before it answers.
    """

    frame: AdminFrame
    clients: ClientRegistry
    settle: Settle

    def mount(self, router: Router) -> None:
        def on(method: str, path: str, handler: Callable[[Asked], Awaitable[Answer]], *query: str) -> None:
            self.frame.mount(router, method, path, handler, query=query)

        on("GET", _CLIENTS, self.list_clients, "q", *PARAMETERS)
        on("POST", _CLIENTS, self.create)
        on("GET", _CLIENT, self.show)
        on("PATCH", _CLIENT, self.update)
        on("DELETE", _CLIENT, self.delete)
        on("POST", f"{_CLIENT}/disable", self.disable)
        on("POST", f"{_CLIENT}/enable", self.enable)
        on("POST", f"{_CLIENT}/rotate-secret", self.rotate_secret)

    async def list_clients(self, asked: Asked) -> Answer:
        """``q``: how an id or a name begins; none: all clients."""
        wanted, begins = wanted_page(asked.query), asked.query.get("q", "").casefold()
        every = sorted(await self.clients.store.list_clients(), key=lambda client: client.client_id)
        found = [one for one in every if one.client_id > wanted.after and _begins(one, begins)]
        return page(found[: wanted.most], wanted, lambda client: client.client_id, client_description)

    async def create(self, asked: Asked) -> Answer:
        metadata, by = new_metadata(await asked.document()), asked.by
        client, secret = await self.clients.create(metadata, by.actor, origin=by.origin)
        await self.settle(client.client_id)
        return _told(client, secret, status=201)

    async def show(self, asked: Asked) -> Answer:
        return _told(await self.clients.get(asked.path["client_id"]))

    async def update(self, asked: Asked) -> Answer:
        """The members that the document has; null: as for a new client (RFC 7396)."""
        document, by = await asked.document(), asked.by
        client_id = asked.path["client_id"]
        client = await self.clients.update(
            client_id, lambda old: changed_metadata(old, document), by.actor, origin=by.origin
        )
        return await self._done(client)

    async def delete(self, asked: Asked) -> Answer:
        client_id, by = asked.path["client_id"], asked.by
        await self.clients.delete(client_id, by.actor, origin=by.origin)
        await self.settle(client_id)
        return Answer(status=204, lines=NO_STORE)

    async def disable(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self.clients.disable(asked.path["client_id"], by.actor, origin=by.origin))

    async def enable(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self.clients.enable(asked.path["client_id"], by.actor, origin=by.origin))

    async def rotate_secret(self, asked: Asked) -> Answer:
        """``end_old``: the secrets of before are refused from now on; else the newest of them goes on being taken."""
        members, by = Members(await asked.document() if asked.request.can_read_body else {}), asked.by
        members.require_known(["end_old"])
        client, secret = await self.clients.rotate_secret(
            asked.path["client_id"], by.actor, end_old=members.flag("end_old"), origin=by.origin
        )
        await self.settle(client.client_id)
        return _told(client, secret)

    async def _done(self, client: Client) -> Answer:
        await self.settle(client.client_id)
        return _told(client)


def _begins(client: Client, begins: str) -> bool:
    return client.client_id.casefold().startswith(begins) or client.name.casefold().startswith(begins)


def _told(client: Client, secret: Secret | None = None, *, status: int = 200) -> Answer:
    """``client_secret`` is told this once: the server keeps only an HMAC of it."""
    shown_once = {} if secret is None else {"client_secret": secret.reveal()}
    return no_store(encode({**client_description(client), **shown_once}), status)
