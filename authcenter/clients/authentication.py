"""Client authentication (RFC 6749 §2.3): picks the method and runs it, the same way for every endpoint."""

from dataclasses import dataclass
from typing import Any

from authcenter.clients.methods.secret import ClientSecrets
from authcenter.core.checks import failed, passed
from authcenter.core.client import AuthMethod, Client
from authcenter.core.errors import OAuthError, Unavailable, invalid_client
from authcenter.core.marks import marked_client_id
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.limits.address import network_of
from authcenter.limits.settled import SettledLimit
from authcenter.stores.ports.clients import ClientLookup

# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_NONE = AuthMethod.NONE


class PresentedClient(Value, frozen=True):
    """What a request says of its client: one method, taken from header or form. Nothing has been verified."""

    client_id: str
    method: AuthMethod
    secret: str = ""

    def __repr__(self) -> str:
        return f"PresentedClient({self.client_id!r}, {self.method!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # A struct shows all of its fields to tracebacks drawn by rich, whatever its repr says.
        return [("client_id", self.client_id), ("method", self.method)]


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Decides whether a client is who it says.

    Attributes:
        failures: Counts failed authentications by address.
    """

    clients: ClientLookup
    secrets: ClientSecrets
    failures: SettledLimit

    async def authenticate(self, presented: PresentedClient, address: str) -> Client:
        """The client that ``presented`` proves to be; ``address`` is where that came from.

        Raises:
            OAuthError: ``invalid_client``, with one wording for every cause; ``RateLimited``: too many failed from
                this address.
            Unavailable: Cannot tell.
        """
        network = network_of(address)
        self.failures.check(network)
        client = await self.clients.find(presented.client_id)
        # Only now: slots of requests that wait for a look-up would be missing to everybody else behind the address.
        if self.secrets.take_long(client):
            return await self._proven_in_a_slot(client, presented, network)
        self.failures.check(network)
        try:
            return await self._proven(client, presented)
        except OAuthError:
            self.failures.take(network)
            raise

    async def _proven_in_a_slot(self, client: Client | None, presented: PresentedClient, network: str) -> Client:
        """The same where others are served meanwhile: taken afterwards, many would find the last slot free."""
        self.failures.take(network)
        try:
            client = await self._proven(client, presented)
        except Unavailable:
            self.failures.give_back(network)
            raise
        self.failures.give_back(network)
        return client

    async def _proven(self, client: Client | None, presented: PresentedClient) -> Client:
        # The secret is compared whatever else is wrong, so that time tells nothing.
        proven = presented.method is _NONE or await self.secrets.verify(client, presented.secret)
        if client is None:
            named = marked_client_id(presented.client_id)
            failed("client_authentication", client_id=named, known=False)
            raise invalid_client(Rule.CLIENT_UNKNOWN, f"no client {named!a:.80}")
        if presented.method not in client.auth_methods:
            registered = ", ".join(sorted(client.auth_methods)) or "no method"
            failed("client_authentication", client_id=client.client_id, came=presented.method, expected=registered)
            raise invalid_client(
                Rule.CLIENT_METHOD, f"{client.client_id} used {presented.method}, may use {registered}"
            )
        if not proven:
            live = [secret.created_at for secret in client.secrets]
            failed(
                "client_authentication",
                client_id=client.client_id,
                method=presented.method,
                live_secrets=len(live),
                newest_secret_of=str(max(live)) if live else None,
            )
            raise invalid_client(Rule.CLIENT_SECRET_WRONG, f"{client.client_id}, {len(client.secrets)} live secrets")
        if client.disabled_at is not None:
            failed("client_enabled", client_id=client.client_id, disabled_at=str(client.disabled_at))
            raise invalid_client(Rule.CLIENT_DISABLED, f"{client.client_id} since {client.disabled_at}")
        passed("client_authentication", client_id=client.client_id, method=presented.method)
        return client
