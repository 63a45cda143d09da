"""What the audit log says of each token that leaves: enough to find, revoke and prove it, never the token."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from authcenter.audit.grouped import GroupedAudit
from authcenter.audit.issued_together import OwnToken, Shared
from authcenter.core.approval import Approval
from authcenter.core.checks import Checks, checks_so_far
from authcenter.core.event import Event, EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.tokens.enhancers import DraftToken


@dataclass(frozen=True, slots=True)
class IssuanceLog:
    """Records access tokens as they are issued. Their rows are safe within one flush, the answer waits for none."""

    audit: GroupedAudit

    def require_room(self) -> None:
        """Asked before anything is spent. Raises ``AuditFull``."""
        self.audit.require_room()

    def issued(self, approval: Approval, access: DraftToken, *, refreshable: bool) -> None:
        """An access token goes out, and with it a refresh token where ``refreshable``."""
        checks = checks_so_far()
        if approval.user is None and approval.origin is not None and not refreshable:
            self._issued_to_client(approval, approval.origin, access, _names(checks))
        else:
            self.audit.record(partial(_event, approval, access, refreshable, checks), approval.at)

    def _issued_to_client(self, approval: Approval, origin: RequestOrigin, access: DraftToken, checks: str) -> None:
        claims, audience = access.claims, access.claims["aud"]
        shared = Shared(
            approval.client.client_id,
            origin.ip,
            origin.user_agent,
            access.kid,
            audience if isinstance(audience, str) else tuple(audience),
            claims.get("scope"),
            checks,
        )
        digest = access.digest.hex()
        token = OwnToken(digest, claims["exp"], claims["fam"], claims["iat"], claims["jti"], origin.request_id)
        self.audit.record_token(shared, token, approval.at)


def _event(approval: Approval, access: DraftToken, refreshable: bool, checks: Checks) -> Event:
    client_id, claims = approval.client.client_id, access.claims
    context: dict[str, Any] = {
        "jti": claims["jti"],
        "digest": access.digest.hex(),
        "kid": access.kid,
        "fam": claims["fam"],
        "aud": claims["aud"],
        "iat": claims["iat"],
        "exp": claims["exp"],
        **_given("sid", claims),
        **_given("scope", claims),
    }
    if approval.known_as:
        context["sub"] = approval.known_as
    if refreshable:
        context["refresh"] = True
    if approval.id_token is not None:
        context["id_token"] = True
    if checks:
        context["checks"] = _names(checks)
    return Event(EventKind.TOKEN_ISSUED, client_id, client_id, approval.subject, approval.origin, context)


def _names(checks: Checks) -> str:
    # All passed: what they are called is enough.
    return " ".join([name for name, _, _ in checks])


def _given(name: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: claims[name]} if name in claims else {}
