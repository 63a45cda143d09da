"""What ``authcenter tokens revoke`` refuses: one token, or all that lies under a cut."""

from datetime import UTC, datetime
from typing import Any

import click

from authcenter.audit.blast_radius import IssuedToken
from authcenter.cli.session import actor
from authcenter.core.cut import CutKind
from authcenter.core.errors import NotFound, TokenRejected
from authcenter.core.event import EventKind
from authcenter.core.instants import instant
from authcenter.core.secret import Secret
from authcenter.core.token import AccessToken
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.tokens.cut_targets import NARROWED, Target, TargetedRevocation
from authcenter.tokens.families import split as split_refresh_token
from authcenter.tokens.issued_tokens import IssuedTokens
from authcenter.wiring.core import Core

_LONGEST_VALUE = 255


def target_of(ctx: click.Context, named: dict[CutKind, str | None], issued_before: datetime | None) -> Target | None:
    """The one target that the options name; None where they name none.

    Raises:
        UsageError: They name several; or one that ``--issued-before`` does not narrow.
    """
    given = {kind: value for kind, value in named.items() if value is not None}
    if len(given) > 1:
        raise click.UsageError("name one thing to revoke", ctx)
    for kind, value in given.items():
        if issued_before is not None and kind not in NARROWED:
            raise click.UsageError("--issued-before narrows --subject or --client, or stands alone", ctx)
        if not value or not value.isprintable() or len(value) > _LONGEST_VALUE:
            raise click.UsageError(f"{value!a:.80} is not 1 to {_LONGEST_VALUE} printable characters", ctx)
        return Target(kind, value, issued_before)
    return None if issued_before is None else Target(CutKind.EVERYTHING, "", issued_before)


async def revoke_target(core: Core, target: Target, reason: str) -> dict[str, Any]:
    """Cut, and end the families under it; of a token that the audit log knows by its jti, refuse the token itself.

    Raises:
        NotFound: Nobody is that subject or client: the name is likely mistyped.
        StoreUnavailable: Nothing was revoked.
    """
    issued = IssuedTokens(core.stores.trail, core.revocations)
    if target.kind is CutKind.JTI and (token := await issued.find(target.value)) is not None:
        await issued.revoke(token, reason, actor())
        return _told(core, token, reason)
    await _require_known(core, target)
    targeted = TargetedRevocation(core.revocations, core.lifetimes, core.stores.trail, core.clock)
    await targeted.revoke(target, reason, actor())
    before = instant(target.issued_before) if target.issued_before else "now" if target.until_now else None
    return {"revoked": target.kind.value, "value": target.value, "issued_before": before, "reason": reason}


async def revoke_token(core: Core, token: Secret, reason: str) -> dict[str, Any]:
    """Refuse one access token; or end the family of a refresh token, its access tokens included.

    Raises:
        NotFound: It is not a token of this server.
        StoreUnavailable: Nothing was revoked.
    """
    value = token.reveal()
    if split_refresh_token(value) is not None:
        return await _end_family_of(core, value, reason)
    await core.keys.reload()
    try:
        held = await core.verifier.read_issued(value)
    except TokenRejected as rejected:
        raise NotFound(f"not a token of this server: {rejected.rule} ({rejected.hint})") from rejected
    await core.revocations.revoke(held, reason, actor())
    return _told(core, held, reason)


def _told(core: Core, token: AccessToken | IssuedToken, reason: str) -> dict[str, Any]:
    expires_at = datetime.fromtimestamp(token.expires_at, UTC)
    return {
        "revoked": "token",
        "value": token.jti,
        "fam": token.family,
        "expires_at": instant(expires_at),
        "expired_already": expires_at + core.lifetimes.leeway <= core.clock.now(),
        "reason": reason,
    }


async def _end_family_of(core: Core, token: str, reason: str) -> dict[str, Any]:
    held = await core.families.find(token)
    if held is None:
        raise NotFound("not a refresh token of this server")
    family = held.family
    lifetime = LONGEST_TOKEN + core.lifetimes.leeway
    ended = await core.families.end(family, reason, lifetime, EventKind.FAMILY_ENDED, actor(), None)
    return {"revoked": CutKind.FAMILY.value, "value": family.family_id, "ended_already": not ended, "reason": reason}


async def _require_known(core: Core, target: Target) -> None:
    match target.kind:
        case CutKind.SUBJECT:
            if await core.accounts.find(target.value) or await core.stores.clients.find(target.value):
                return
            raise NotFound(f"nobody has the sub {target.value!a:.80}: see `users show NAME`")
        case CutKind.CLIENT:
            await core.clients.get(target.value)


class InstantParam(click.ParamType[datetime]):
    """ISO 8601 with its offset, or Unix seconds; not in the future."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            at = _unix_or_iso(value)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!a:.60} is neither ISO 8601 nor Unix seconds", param, ctx)
        if at.tzinfo is None:
            self.fail(f"{value!a:.60} has no offset from UTC: add Z or one like +02:00", param, ctx)
        if at > datetime.now(UTC):
            self.fail(f"{value!a:.60} is in the future", param, ctx)
        return at


def _unix_or_iso(value: str) -> datetime:
    """In UTC, unless it has no offset. Raises ``ValueError``, ``OverflowError``, ``OSError``."""
    if value.isascii() and value.isdecimal():
        return datetime.fromtimestamp(int(value), UTC)
    at = datetime.fromisoformat(value)
    return at if at.tzinfo is None else at.astimezone(UTC)
