"""``/admin/v1/tokens``: what a revocation would hit, and the revocation."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.users import Accounts
from authcenter.audit.blast_radius import BlastRadius
from authcenter.clients.registry import ClientRegistry
from authcenter.core.clock import Clock
from authcenter.core.cut import CutKind
from authcenter.core.errors import InvalidInput, NotFound
from authcenter.core.instants import instant
from authcenter.core.members import Members
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.instants import instant_of
from authcenter.http.admin.reasons import reason_of
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.keys.rotation import KeyRotation
from authcenter.tokens.cut_targets import NARROWED, Target, TargetedRevocation
from authcenter.tokens.issued_tokens import IssuedTokens

KINDS: Mapping[str, CutKind] = {
    "client": CutKind.CLIENT,
    "subject": CutKind.SUBJECT,
    "family": CutKind.FAMILY,
    "session": CutKind.SESSION,
    "key": CutKind.KEY,
    "jti": CutKind.JTI,
}
"""By what tokens are named here; exactly one, or ``issued_before`` alone for everybody's."""

_BEFORE = "issued_before"
_LONGEST_VALUE = 255


@dataclass(frozen=True, slots=True)
class TokensEndpoints:
    """Counts, and revokes.

    Attributes:
        settle: Other instances learn it within the bound of revocations; this one before it answers.
    """

    frame: AdminFrame
    targeted: TargetedRevocation
    issued: IssuedTokens
    rotation: KeyRotation
    accounts: Accounts
    clients: ClientRegistry
    settle: Callable[[], Awaitable[None]]
    clock: Clock

    def mount(self, router: Router) -> None:
        self.frame.mount(router, "GET", "/tokens/blast-radius", self.blast_radius, query=(*KINDS, _BEFORE))
        self.frame.mount(router, "POST", "/tokens/revoke", self.revoke)

    async def blast_radius(self, asked: Asked) -> Answer:
        """What would be refused that is accepted now. Nothing is changed."""
        target = await self._target(Members(asked.query))
        return no_store(encode({**_target_told(target), **_reach_told(await self.targeted.reach(target))}))

    async def revoke(self, asked: Asked) -> Answer:
        members = Members(await asked.document())
        members.require_known([*KINDS, _BEFORE, "reason"])
        target, reason, by = await self._target(members), reason_of(members), asked.by
        issued = await self.issued.find(target.value) if target.kind is CutKind.JTI else None
        if issued is not None:
            await self.issued.revoke(issued, reason, by.actor, by.origin)
        elif target.kind is CutKind.KEY:
            await self.rotation.revoke(target.value, reason, by.actor, origin=by.origin)
        else:
            await self.targeted.revoke(target, reason, by.actor, by.origin)
        await self.settle()
        return no_store(encode({**_target_told(target), "reason": reason}))

    async def _target(self, members: Members) -> Target:
        """Raises ``InvalidInput``: not one thing is named; ``NotFound``: nobody, or no key, is called so."""
        named = [(kind, members.text(name)) for name, kind in KINDS.items() if members.given.get(name) is not None]
        before = instant_of(_BEFORE, members.text(_BEFORE), self.clock.now())
        if before is not None and before > self.clock.now():
            raise InvalidInput(f"{_BEFORE}: is in the future")
        if not named and before is not None:
            return Target(CutKind.EVERYTHING, "", before)
        if len(named) != 1:
            raise InvalidInput(f"name one of {', '.join(KINDS)}; or {_BEFORE} alone, for everybody's tokens")
        kind, value = named[0]
        if before is not None and kind not in NARROWED:
            raise InvalidInput(f"{_BEFORE}: narrows client and subject only, or stands alone")
        if not value or not value.isprintable() or len(value) > _LONGEST_VALUE:
            raise InvalidInput(f"{kind}: must be 1 to {_LONGEST_VALUE} printable characters")
        await self._require_known(kind, value)
        return Target(kind, value, before)

    async def _require_known(self, kind: CutKind, value: str) -> None:
        match kind:
            case CutKind.CLIENT:
                await self.clients.get(value)
            case CutKind.SUBJECT:
                if not (await self.accounts.find(value) or await self.clients.store.find(value)):
                    raise NotFound(f"nobody has the sub {value!a:.80}")
            case CutKind.KEY:
                await self.rotation.require_known(value)


def _target_told(target: Target) -> dict[str, Any]:
    before = instant(target.issued_before) if target.issued_before else "now" if target.until_now else None
    name = next((name for name, kind in KINDS.items() if kind is target.kind), "everything")
    return {"by": name, "value": target.value, _BEFORE: before}


def _reach_told(reach: BlastRadius) -> dict[str, Any]:
    """``complete``: whether all rows were counted; else there may be more."""
    return {
        "tokens": reach.tokens,
        "families": reach.families,
        "refreshable": reach.refreshable,
        "subjects": reach.subjects,
        "clients": dict(reach.clients),
        "last_expires_at": instant(reach.last_expires_at) if reach.last_expires_at else None,
        "complete": reach.complete,
    }
