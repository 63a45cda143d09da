"""Access tokens by the name that the audit log has of them: found, and refused, without the token itself."""

from dataclasses import dataclass

from authcenter.audit.blast_radius import IssuedToken, issued_token
from authcenter.audit.issued_together import as_wanted
from authcenter.core.event import EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.token import AccessToken
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail
from authcenter.tokens.revocation import Revocations


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """Looks issued tokens up by ``jti`` in the rows of their issuance (``token.issued``)."""

    trail: AuditTrail
    revocations: Revocations

    async def find(self, jti: str) -> IssuedToken | None:
        """The token; None: there is no row of it, be it mistyped, archived, or issued a moment ago (50 ms).

        Raises:
            StoreUnavailable: Cannot tell.
        """
        wanted = AuditFilter(event=EventKind.TOKEN_ISSUED, jti=jti)
        rows = as_wanted((await self.trail.find(wanted, 1)).rows, wanted)
        return issued_token(rows[0]) if rows else None

    async def revoke(self, token: IssuedToken, reason: str, actor: str, origin: RequestOrigin | None = None) -> None:
        """Refuse it by its digest, until it expires. Raises ``StoreUnavailable``: nothing was revoked."""
        held = AccessToken(
            claims={},
            client_id=token.client_id,
            subject=token.subject,
            audience=(),
            family=token.family,
            session=token.session,
            jti=token.jti,
            kid=token.kid,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            digest=token.digest,
        )
        await self.revocations.revoke(held, reason, actor, origin)
