"""``TokenGranter``: the strategy of one grant type. Third parties add theirs by the entry-point group
``authcenter.grants``: a callable that takes ``GrantParts`` and returns a granter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.core.approval import Approval
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.form import Form
from authcenter.core.origin import RequestOrigin
from authcenter.core.scope import Scope
from authcenter.core.value import Value
from authcenter.grants.resources import GrantTargets

ENTRY_POINT_GROUP = "authcenter.grants"


class TokenRequest(Value, frozen=True):
    """A token request whose client has been authenticated and may use the grant.

    Attributes:
        at: The clock, read once, before anything was looked up: the ``iat`` of what is issued.
    """

    client: Client
    form: Form
    at: datetime
    origin: RequestOrigin

    def require(self, name: str) -> str:
        """Raises ``OAuthError``: ``invalid_request``, where the parameter is absent."""
        return self.form.require(name)

    def scope(self) -> Scope | None:
        """The scope asked for; None: none was. Raises ``OAuthError``: ``invalid_scope``."""
        text = self.form.get("scope")
        return None if text is None else Scope.parse(text)


class TokenGranter(Protocol):
    """Decides whether and what may be issued for one grant type."""

    @property
    def grant_type(self) -> str:
        """The value of the parameter ``grant_type`` that selects this strategy."""
        ...

    async def approve(self, request: TokenRequest) -> Approval:
        """What may be issued, and what issuing it will spend; spends nothing.

        Raises:
            OAuthError: Nothing may be issued.
            Unavailable: Cannot tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class GrantParts:
    """What a third party's granter may build on."""

    targets: GrantTargets
    clock: Clock


GranterFactory = Callable[[GrantParts], TokenGranter]
