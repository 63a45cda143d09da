"""What a granter decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from authcenter.core.authorization import AuthorizationCode
from authcenter.core.client import Client
from authcenter.core.device import DeviceAuthorization
from authcenter.core.ids import FamilyId, Subject, new_family_id
from authcenter.core.origin import RequestOrigin
from authcenter.core.scope import Scope
from authcenter.core.token import HeldRefreshToken
from authcenter.core.user import User
from authcenter.core.value import Value


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """A refresh token as it was presented, and what it was found to be."""

    value: str = field(repr=False)
    held: HeldRefreshToken


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """An authorization code as it was presented, and what it was found to be."""

    code: AuthorizationCode


@dataclass(frozen=True, slots=True)
class PresentedDeviceCode:
    """A device code as it was presented, and what it was found to be."""

    device: DeviceAuthorization


@dataclass(frozen=True, slots=True)
class IdTokenRequest:
    """What an ID token is to say beside who signed in, and when (OpenID Connect Core §3.1.3.3).

    Attributes:
        nonce: Of the authorization request; None: none was sent, or this is a refresh (§12.2).
        claims: The ``id_token`` member of the ``claims`` parameter (§5.5).
    """

    nonce: str | None
    claims: Mapping[str, Any]


class Approval(Value, frozen=True):
    """What may be issued, to whom, and what issuing it spends. Nothing has been issued or spent yet.

    Attributes:
        at: The request's one clock reading; the ``iat`` of what is issued.
        user: The person it is for; None: the client itself.
        sign_in: Claims of the user's sign-in: ``auth_time``, ``acr``, ``amr``, ``sid``.
        refreshable: Whether a refresh token goes with the access token.
        spends: The refresh token or code this trades in.
        id_token: What an ID token is to say, where one goes with the access token.
        known_as: The ``sub`` that tokens say, where the client knows the person by a pairwise one.
        claims: The ``claims`` parameter, for userinfo.
        family: What ties together all that this approval leads to.
        approved_at: When the person said yes, where that was before this request.
    """

    client: Client
    subject: Subject
    scope: Scope
    audience: tuple[str, ...]
    at: datetime
    user: User | None = None
    sign_in: Mapping[str, Any] = msgspec.field(default_factory=dict)
    refreshable: bool = False
    spends: PresentedRefreshToken | PresentedCode | PresentedDeviceCode | None = None
    origin: RequestOrigin | None = None
    family: FamilyId = msgspec.field(default_factory=new_family_id)
    id_token: IdTokenRequest | None = None
    known_as: str | None = None
    claims: Mapping[str, Any] = msgspec.field(default_factory=dict)
    approved_at: datetime | None = None

    @property
    def sub(self) -> str:
        """The ``sub`` of all that is issued."""
        return self.known_as or self.subject
