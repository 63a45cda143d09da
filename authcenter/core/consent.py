"""Consent: what a person has agreed to give a client."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.ids import ClientId, Subject
from authcenter.core.scope import Scope


@dataclass(frozen=True, slots=True)
class Consent:
    """All that one person has agreed to for one client, and has not withdrawn.

    Attributes:
        claims: Names of single claims that were asked for by the ``claims`` parameter and agreed to.
        resources: The audiences it covers.
    """

    subject: Subject
    client_id: ClientId
    scope: Scope
    claims: frozenset[str]
    resources: frozenset[str]
    granted_at: datetime
    updated_at: datetime
