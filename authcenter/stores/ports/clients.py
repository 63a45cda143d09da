"""Clients and resources at rest."""

from collections.abc import Sequence
from typing import Protocol

from authcenter.core.client import Client
from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.resource import Resource


class ClientLookup(Protocol):
    """What the hot path asks."""

    async def find(self, client_id: str, /) -> Client | None: ...


class ClientStore(ClientLookup, Protocol):
    """Clients, with the hashes of their secrets."""

    async def list_clients(self) -> Sequence[Client]: ...

    async def add(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> None:
        """Keep a new client and those of ``resources`` that are not there yet. Raises ``Conflict``."""
        ...

    async def replace(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        """Write ``client`` over the revision it was made from; False where that is no longer the newest."""
        ...

    async def remove(self, client_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool: ...


class ResourceLookup(Protocol):
    """What the hot path asks."""

    async def find(self, resource_id: str, /) -> Resource | None: ...


class ResourceStore(ResourceLookup, Protocol):
    """Resource servers and their scopes."""

    async def list_resources(self) -> Sequence[Resource]: ...

    async def add(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> None:
        """Raises ``Conflict`` where there is one by this id."""
        ...

    async def replace(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Write over the revision it was made from; False where that is no longer the newest."""
        ...

    async def remove(self, resource_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool: ...
