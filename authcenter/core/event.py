"""What the audit log records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from authcenter.core.origin import RequestOrigin


class EventKind(StrEnum):
    """The name of an event; the ``event`` label of the metrics."""

    CLIENT_CREATED = "client.created"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DELETED = "client.deleted"
    CLIENT_SECRET_ROTATED = "client.secret_rotated"
    INITIAL_TOKEN_CREATED = "initial_token.created"
    INITIAL_TOKEN_REVOKED = "initial_token.revoked"
    RESOURCE_CREATED = "resource.created"
    RESOURCE_UPDATED = "resource.updated"
    RESOURCE_DELETED = "resource.deleted"
    USER_CREATED = "user.created"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_PASSWORD_SET = "user.password_set"
    USER_CLAIMS_SET = "user.claims_set"
    USER_ROLES_SET = "user.roles_set"
    USER_LOGGED_OUT = "user.logged_out"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    USER_RESET_SENT = "user.reset_sent"
    USER_RESET_REQUIRED = "user.reset_required"
    USER_ADDRESS_CHANGE_ASKED = "user.address_change_asked"
    USER_ADDRESS_CHANGED = "user.address_changed"
    USER_DATA_DOWNLOADED = "user.data_downloaded"
    USER_DELETED = "user.deleted"
    AUDIT_ERASED = "audit.erased"
    SESSION_STARTED = "session.started"
    SESSION_RENEWED = "session.renewed"
    SESSION_ENDED = "session.ended"
    SIGN_INS_FAILED = "sign_ins.failed"
    SECOND_FACTOR_ADDED = "second_factor.added"
    SECOND_FACTOR_REMOVED = "second_factor.removed"
    SECOND_FACTORS_RESET = "second_factor.reset"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    RECOVERY_CODE_SPENT = "recovery_codes.spent"
    CONSENT_GRANTED = "consent.granted"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CODE_REPLAYED = "code.replayed"
    DEVICE_ANSWERED = "device.answered"
    KEY_CREATED = "key.created"
    KEY_RETIRED = "key.retired"
    KEY_REVOKED = "key.revoked"
    KEY_DROPPED = "key.dropped"
    KEY_ROLLED_BACK = "key.rolled_back"
    KEY_ROTATION_PAUSED = "key.rotation_paused"
    KEY_ROTATION_RESUMED = "key.rotation_resumed"
    KEYS_REENCRYPTED = "key.reencrypted"
    KEYS_RESTORED = "key.restored"
    CODE_ISSUED = "code.issued"
    SIGN_IN_REFUSED = "sign_in.refused"
    TOKEN_ISSUED = "token.issued"
    TOKEN_REVOKED = "token.revoked"
    FAMILY_ENDED = "family.ended"
    REFRESH_REPLAYED = "refresh.replayed"
    TOKENS_CUT = "tokens.cut"
    POLICY_PUSHED = "policy.pushed"
    AUDIT_ARCHIVED = "audit.archived"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and must be provable.

    Attributes:
        actor: Who did it: a client id, a subject, ``cli:<login name>``, or ``system``.
        context: What else belongs to it, JSON values only; ids and digests, never a secret.
    """

    kind: EventKind
    actor: str
    client_id: str = ""
    subject: str = ""
    origin: RequestOrigin | None = None
    context: Mapping[str, object] = field(default_factory=dict)
