"""Device authorizations: what a device without a keyboard asked for, and what a person answered (RFC 8628)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """What a person said.

    Attributes:
        sign_in: Claims of the sign-in: ``auth_time``, ``acr``, ``amr``, ``sid``.
        known_as: The ``sub`` of its tokens, where that is a pairwise one.
    """

    approved: bool
    at: datetime
    subject: Subject
    sign_in: Mapping[str, Any]
    known_as: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A device authorization as it is stored. Both of its codes are known by digest only.

    Attributes:
        family_id: Drawn with the codes, so that a second use can end whatever the first one made.
        interval_seconds: How long the device has to wait between two polls; every early one adds to it.
        polled_at: When the device asked last; ``hurried``: whether that was too early.
        answer: What the person said; None: nothing yet.
        spent_at: When it was traded for tokens.
    """

    digest: Digest
    user_code_digest: Digest
    client_id: ClientId
    scope: Scope
    audience: tuple[str, ...]
    family_id: FamilyId
    issued_at: datetime
    expires_at: datetime
    interval_seconds: int
    polled_at: datetime | None = None
    hurried: bool = False
    answer: DeviceAnswer | None = None
    spent_at: datetime | None = None
