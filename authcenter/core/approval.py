"""What a granter decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from authcenter.core.client import Client
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


class Approval(Value, frozen=True):
    """What may be issued, to whom, and what issuing it spends. Nothing has been issued or spent yet.

    Attributes:
        at: The request's one clock reading; the ``iat`` of what is issued.
        user: The person it is for; None: the client itself.
        sign_in: Claims of the user's sign-in: ``auth_time``, ``acr``, ``amr``, ``sid``.
        refreshable: Whether a refresh token goes with the access token.
        spends: The refresh token this trades in.
        family: What ties together all that this approval leads to.
    """

    client: Client
    subject: Subject
    scope: Scope
    audience: tuple[str, ...]
    at: datetime
    user: User | None = None
    sign_in: Mapping[str, Any] = msgspec.field(default_factory=dict)
    refreshable: bool = False
    spends: PresentedRefreshToken | None = None
    origin: RequestOrigin | None = None
    family: FamilyId = msgspec.field(default_factory=new_family_id)
