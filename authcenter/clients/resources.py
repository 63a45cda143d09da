"""The registry of resource servers: their audiences, and the scopes they define."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from authcenter.clients.entitlements import check_resource_id
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import Event, EventKind
from authcenter.core.resource import Resource, ResourceScope
from authcenter.core.scope import is_scope_token
from authcenter.stores.ports.clients import ResourceStore


@dataclass(frozen=True, slots=True)
class ResourceRegistry:
    """What operators do to resources. Every act is one transaction with its audit event."""

    store: ResourceStore
    clock: Clock

    async def get(self, resource_id: str) -> Resource:
        """Raises ``NotFound``."""
        resource = await self.store.find(resource_id)
        if resource is None:
            raise NotFound(f"no resource {resource_id!a:.200}")
        return resource

    async def create(self, resource_id: str, name: str, scopes: Mapping[str, ResourceScope], actor: str) -> Resource:
        """Raises ``InvalidInput``; ``Conflict`` where there is one by this id."""
        check_resource_id("id", resource_id)
        check_scopes(scopes)
        now = self.clock.now()
        resource = Resource(resource_id, _checked_name(name), scopes, now, now)
        try:
            await self.store.add(resource, _because(EventKind.RESOURCE_CREATED, resource, actor))
        except Conflict as taken:
            raise Conflict(f"id: {resource_id} is registered already; use `resources update`") from taken
        return resource

    async def update(
        self, resource_id: str, name: str | None, scopes: Mapping[str, ResourceScope] | None, actor: str
    ) -> Resource:
        """Set what is not None. Raises ``NotFound``, ``InvalidInput``, ``Conflict``."""
        old = await self.get(resource_id)
        new = replace(
            old,
            name=old.name if name is None else _checked_name(name),
            scopes=old.scopes if scopes is None else scopes,
            updated_at=self.clock.now(),
        )
        check_scopes(new.scopes)
        if not await self.store.replace(new, _because(EventKind.RESOURCE_UPDATED, new, actor)):
            raise Conflict(f"{resource_id} was changed by somebody else meanwhile")
        return new

    async def delete(self, resource_id: str, actor: str) -> None:
        """Raises ``NotFound``."""
        resource = await self.get(resource_id)
        if not await self.store.remove(resource_id, _because(EventKind.RESOURCE_DELETED, resource, actor)):
            raise NotFound(f"no resource {resource_id!a:.200}")


def check_scopes(scopes: Mapping[str, ResourceScope]) -> None:
    """Raises ``InvalidInput``."""
    for value, scope in scopes.items():
        if not is_scope_token(value) or len(value) > 255:
            raise InvalidInput(f"scope: {value!a:.80} is not a scope value (RFC 6749 §3.3)")
        if not scope.text.isprintable() or len(scope.text) > 1_000:
            raise InvalidInput(f"scope: the text of {value} is not at most 1,000 printable characters")


def _checked_name(name: str) -> str:
    if len(name) > 255 or not name.isprintable():
        raise InvalidInput("name: at most 255 printable characters")
    return name


def _because(kind: EventKind, resource: Resource, actor: str) -> Consequences:
    context = {"resource": resource.resource_id, "scopes": sorted(resource.scopes)}
    return Consequences(events=(Event(kind, actor, context=context),))
