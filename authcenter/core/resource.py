"""Resource servers: the audiences that tokens are made for (RFC 8707)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authcenter.core.scope import OFFLINE_ACCESS, Scope

STANDARD_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", OFFLINE_ACCESS})
"""Scopes that belong to the protocol, not to a resource."""


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """A scope that a resource defines.

    Attributes:
        text: What a person reads on the consent page.
        role: The role that a person needs for it, if any.
    """

    text: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource server.

    Attributes:
        resource_id: Its identifier, the ``aud`` of tokens for it.
        scopes: The scopes it defines. A resource that defines none narrows nothing.
    """

    resource_id: str
    name: str
    scopes: Mapping[str, ResourceScope]
    created_at: datetime
    updated_at: datetime
    revision: int = 1

    def defined(self, scope: Scope) -> Scope:
        """The part of ``scope`` that has a meaning at this resource."""
        if not self.scopes or scope.values <= self.scopes.keys():
            return scope
        return Scope(frozenset(value for value in scope.values if value in self.scopes or value in STANDARD_SCOPES))

    def permitted(self, scope: Scope, roles: frozenset[str]) -> Scope:
        """The part of ``scope`` that a person with ``roles`` may have."""
        return Scope(frozenset(value for value in scope.values if self._role_of(value) in {None, *roles}))

    def _role_of(self, value: str) -> str | None:
        scope = self.scopes.get(value)
        return scope.role if scope else None
