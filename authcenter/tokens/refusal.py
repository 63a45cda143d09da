"""Why a refresh token is not accepted: one answer for the grant, for introspection and for operators."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.checks import Fact
from authcenter.core.cut import CutKind
from authcenter.core.rules import Rule
from authcenter.core.token import HeldRefreshToken, TokenFamily
from authcenter.core.user import User
from authcenter.sdk.replica import RevocationReplica


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that refuses, and its hint for operators."""

    rule: Rule
    hint: str


def refresh_facts(held: HeldRefreshToken, now: datetime) -> dict[str, Fact]:
    """What there is to say of a refresh token that is refused."""
    family, token = held.family, held.token
    late = int((now - token.expires_at).total_seconds())
    return {
        "family": family.family_id,
        "subject": family.subject,
        "family_ended_at": str(family.ended_at) if family.ended_at else None,
        "family_ended_for": family.end_reason or None,
        "spent_at": str(token.spent_at) if token.spent_at else None,
        "expired_at": str(token.expires_at),
        "clock": str(now),
        **({"late_seconds": late} if late >= 0 else {}),
    }


def family_refusal(family: TokenFamily, replica: RevocationReplica) -> Refusal | None:
    """Why nothing of this family is accepted, or None."""
    if family.ended_at is not None:
        return Refusal(Rule.REFRESH_FAMILY_ENDED, f"family {family.family_id} ended: {family.end_reason}")
    if reason := replica.cut_reason(family.approved_at.timestamp(), _carried(family)):
        return Refusal(Rule.REFRESH_FAMILY_ENDED, f"family {family.family_id}: {reason}")
    return None


def lapse(held: HeldRefreshToken, now: datetime) -> Refusal | None:
    """Whether the token's lifetime is over."""
    if held.token.expires_at > now:
        return None
    return Refusal(Rule.REFRESH_EXPIRED, f"family {held.family.family_id}, lapsed {held.token.expires_at}")


def spent(held: HeldRefreshToken) -> Refusal | None:
    """Whether the token has been traded in. The token endpoint decides itself whether that is a retry."""
    if held.token.spent_at is None:
        return None
    return Refusal(Rule.REFRESH_REPLAYED, f"family {held.family.family_id}, spent {held.token.spent_at}")


def owner_refusal(family: TokenFamily, user: User | None) -> Refusal | None:
    """Why the person a family was opened for may not go on with it, or None."""
    if user is None or user.disabled_at is not None:
        return Refusal(Rule.REFRESH_USER_GONE, f"{family.subject} is {'disabled' if user else 'gone'}")
    if user.cut_at is not None and family.approved_at <= user.cut_at:
        return Refusal(Rule.REFRESH_FAMILY_ENDED, f"approved {family.approved_at}, cut {user.cut_at}")
    return None


def _carried(family: TokenFamily) -> tuple[tuple[CutKind, str], ...]:
    """What a cut may refuse the family by."""
    return (
        (CutKind.FAMILY, family.family_id),
        (CutKind.SUBJECT, family.subject),
        (CutKind.CLIENT, family.client_id),
        (CutKind.SESSION, str(family.sign_in.get("sid", ""))),
        (CutKind.EVERYTHING, ""),
    )


def refresh_refusal(held: HeldRefreshToken, replica: RevocationReplica, now: datetime) -> Refusal | None:
    """Why a refresh token is not active, whoever asks; its owner aside."""
    return family_refusal(held.family, replica) or spent(held) or lapse(held, now)
