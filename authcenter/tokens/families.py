"""Refresh tokens: drawn, found again, told apart from a replay (RFC 9700 §4.14.2)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from authcenter.core.approval import Approval
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.derived import MacKeys, hkdf, seal, unseal
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import FamilyId
from authcenter.core.origin import RequestOrigin
from authcenter.core.token import HeldRefreshToken, RefreshToken, TokenFamily
from authcenter.stores.ports.tokens import RefreshTokenStore
from authcenter.tokens.revocation import family_cut

PREFIX = "acr_"
_SELECTOR_BYTES, _VERIFIER_BYTES = 16, 32
_SELECTOR_CHARACTERS, _VERIFIER_CHARACTERS = 22, 43
_SEAL_LABEL = "authcenter refresh answer"


@dataclass(frozen=True, slots=True)
class DrawnRefreshToken:
    """A new refresh token: what the client gets, and what is stored of it."""

    token: str
    stored: RefreshToken


@dataclass(frozen=True, slots=True)
class TokenFamilies:
    """All that is done with refresh tokens and their families."""

    store: RefreshTokenStore
    macs: MacKeys
    clock: Clock

    def draw(
        self, family: FamilyId, at: datetime, lifetime: timedelta, family_expires_at: datetime
    ) -> DrawnRefreshToken:
        selector = secrets.token_urlsafe(_SELECTOR_BYTES)
        verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
        mac = self.macs.make(f"{selector}.{verifier}".encode())
        expires_at = min(at + lifetime, family_expires_at)
        return DrawnRefreshToken(f"{PREFIX}{selector}.{verifier}", RefreshToken(selector, family, mac, at, expires_at))

    async def find(self, token: str) -> HeldRefreshToken | None:
        """The refresh token by its selector, where its verifier is the right one.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        parts = split(token)
        if parts is None:
            return None
        held = await self.store.find(parts[0])
        if held is None or not self.macs.verify(f"{parts[0]}.{parts[1]}".encode(), held.token.verifier_mac):
            return None
        return held

    async def open(self, approval: Approval, first: RefreshToken, expires_at: datetime) -> None:
        await self.store.open_family(new_family(approval, expires_at), first)

    async def find_family(self, family_id: str) -> TokenFamily | None:
        """Raises ``StoreUnavailable``."""
        return await self.store.find_family(family_id)

    async def end(
        self,
        family: TokenFamily,
        reason: str,
        lifetime: timedelta,
        kind: EventKind,
        actor: str,
        origin: RequestOrigin | None,
    ) -> bool:
        """End a family, its access tokens included; False where it had ended before.

        Args:
            lifetime: How long an access token of it may still live, leeway included.
        """
        now = self.clock.now()
        context = {"fam": family.family_id, "reason": reason}
        event = Event(kind, actor, family.client_id, family.subject, origin, context)
        cut = family_cut(family.family_id, reason, now, lifetime)
        return await self.store.end_family(family.family_id, now, Consequences(events=(event,), cuts=(cut,)))


def new_family(approval: Approval, expires_at: datetime) -> TokenFamily:
    """The family that an approval opens."""
    return TokenFamily(
        family_id=approval.family,
        client_id=approval.client.client_id,
        subject=approval.subject,
        scope=approval.scope,
        audience=approval.audience,
        sign_in=approval.sign_in,
        approved_at=approval.approved_at or approval.at,
        expires_at=expires_at,
        known_as=approval.known_as,
        claims=approval.claims,
    )


def split(token: str) -> tuple[str, str] | None:
    """Selector and verifier of something shaped like a refresh token of ours."""
    selector, dot, verifier = token.removeprefix(PREFIX).partition(".")
    shaped = len(selector) == _SELECTOR_CHARACTERS and len(verifier) == _VERIFIER_CHARACTERS
    return (selector, verifier) if token.startswith(PREFIX) and dot and shaped and token.isascii() else None


def seal_answer(token: str, answer: bytes) -> bytes:
    """Seal the answer that ``token`` was traded for, so that only who holds the token can open it."""
    return seal(hkdf(token.encode(), _SEAL_LABEL), answer, token.encode())


def open_answer(token: str, sealed: bytes) -> bytes | None:
    return unseal(hkdf(token.encode(), _SEAL_LABEL), sealed, token.encode())
