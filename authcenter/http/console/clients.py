"""``/console/clients``: the registered clients; one of them, disabled, enabled, given another secret."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from authcenter.clients.registry import ClientRegistry
from authcenter.core.client import SECRET_METHODS, Client
from authcenter.core.secret import Secret
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/console/clients"
_MOST = 200


@dataclass(frozen=True, slots=True)
class ClientsPage:
    """Lists and searches clients; shows one, and acts on it.

    Attributes:
        settle: Lets this process know at once what was done to a client; others within the bound of revocations.
    """

    console: Console
    clients: ClientRegistry
    settle: Callable[[str], Awaitable[None]]

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        if client_id := asked(visit.query, "id"):
            return self._one(visit, operator, await self.clients.get(client_id))
        sought = asked(visit.query, "q")
        every = sorted(await self.clients.store.list_clients(), key=lambda client: client.client_id)
        found = [client for client in every if _meets(client, sought.casefold())]
        return self.console.show(
            visit,
            operator,
            "clients",
            "console_clients.html",
            sought=sought,
            found=found[:_MOST],
            more=len(found) > _MOST,
        )

    async def post(self, visit: Visit, operator: Operator) -> Answer:
        client_id, actor, origin = asked(visit.form, "id"), operator.actor, operator.origin
        match visit.form.get("act"):
            case "disable":
                await self.clients.disable(client_id, actor, origin=origin)
            case "enable":
                await self.clients.enable(client_id, actor, origin=origin)
            case "rotate":
                end_old = visit.form.get("end_old") is not None
                client, secret = await self.clients.rotate_secret(client_id, actor, end_old=end_old, origin=origin)
                await self.settle(client_id)
                return self._one(visit, operator, client, secret)
        await self.settle(client_id)
        return see_other(f"{PATH}?id={quote(client_id, safe='')}")

    def _one(self, visit: Visit, operator: Operator, client: Client, secret: Secret | None = None) -> Answer:
        return self.console.show(
            visit,
            operator,
            "clients",
            "console_client.html",
            client=client,
            with_secret=bool(client.auth_methods & SECRET_METHODS),
            secret=secret.reveal() if secret is not None else "",
        )


def _meets(client: Client, sought: str) -> bool:
    return sought in client.client_id.casefold() or sought in client.name.casefold()
