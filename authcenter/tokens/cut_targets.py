"""What can be refused at one stroke, by whatever name an operator has for it: what it would hit, and the act."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from authcenter.audit.blast_radius import BlastRadius, IssuedToken, blast_radius
from authcenter.core.clock import Clock
from authcenter.core.cut import CUT_OUTLIVES_TOKENS_BY, Cut, CutKind, carried_by
from authcenter.core.origin import RequestOrigin
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.revocation import Revocations

NARROWED = frozenset({CutKind.CLIENT, CutKind.SUBJECT})
"""Of what tokens may be refused up to an instant, rather than all: what lives on and gets others."""


@dataclass(frozen=True, slots=True)
class Target:
    """Everything that carries ``value``; with ``issued_before``, only what was issued until then."""

    kind: CutKind
    value: str
    issued_before: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self.kind is CutKind.EVERYTHING

    @property
    def until_now(self) -> bool:
        """Whether what is issued later is meant not to be hit, and no other instant is named."""
        return self.issued_before is None and self.kind in NARROWED

    def cut(self, reason: str, now: datetime, leeway: timedelta) -> Cut:
        """The cut that refuses it. ``leeway``: that of signature checks."""
        expires_at = now + LONGEST_TOKEN + leeway + CUT_OUTLIVES_TOKENS_BY
        return Cut(
            self.kind, self.value, reason, up_to=self.issued_before, until_now=self.until_now, expires_at=expires_at
        )


@dataclass(frozen=True, slots=True)
class TargetedRevocation:
    """Counts, and cuts. Signing keys are not cut here: ``KeyRotation.revoke`` does that, and a successor takes over."""

    revocations: Revocations
    lifetimes: TokenLifetimes
    trail: AuditTrail
    clock: Clock

    async def reach(self, target: Target) -> BlastRadius:
        """What revoking it would hit. Raises ``StoreUnavailable``."""
        return await blast_radius(
            target.kind,
            target.value,
            self.trail,
            self.clock.now(),
            longest=LONGEST_TOKEN,
            refused=self._refused,
            issued_before=target.issued_before,
        )

    async def revoke(self, target: Target, reason: str, actor: str, origin: RequestOrigin | None = None) -> None:
        """Refuse it, and end the families under it. Raises ``StoreUnavailable``: nothing was revoked."""
        cut = target.cut(reason, self.clock.now(), self.lifetimes.leeway)
        await self.revocations.cut((cut,), actor, origin)

    def _refused(self, token: IssuedToken) -> bool:
        replica = self.revocations.replica
        if replica.holds(token.digest, datetime.fromtimestamp(token.expires_at, UTC)):
            return True
        return replica.cut_reason(token.issued_at, carried_by(token)) is not None
