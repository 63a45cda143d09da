"""How many token requests a client may make."""

from dataclasses import dataclass

from authcenter.clients.authentication import PresentedClient
from authcenter.core.client import AuthMethod
from authcenter.limits.address import network_of
from authcenter.limits.settled import Quota, SettledLimit

# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_NONE = AuthMethod.NONE


@dataclass(frozen=True, slots=True)
class TokenQuota:
    """The limit of the token endpoint, by authenticated client.

    A public client proves nothing: counted by its id alone, any stranger could use up what all its people have. So its
    address belongs to the key.
    """

    limit: SettledLimit

    def take(self, client: PresentedClient, address: str) -> None:
        """Count a request. Raises ``RateLimited``."""
        self.limit.take(_key(client, address))

    def left(self, client: PresentedClient, address: str) -> Quota:
        """What is left to whoever made a request."""
        return self.limit.quota(_key(client, address))


def _key(client: PresentedClient, address: str) -> str:
    if client.method is _NONE:
        return f"{client.client_id} {network_of(address)}"
    return client.client_id
