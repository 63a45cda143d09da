"""Why what was approved is not gone on with: one answer for the grants, for introspection and for operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authcenter.core.checks import Fact
from authcenter.core.client import Client
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


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved, as a code or a family holds it, by what a cut may refuse it."""

    at: datetime
    family_id: str
    subject: str
    client_id: str
    sign_in: Mapping[str, Any]

    def cut_reason(self, replica: RevocationReplica, client: Client | None) -> str | None:
        """Which cut refuses it, or None; those of its person's row aside. ``client``: whose it is."""
        carried = (
            (CutKind.FAMILY, self.family_id),
            (CutKind.SUBJECT, self.subject),
            (CutKind.CLIENT, self.client_id),
            (CutKind.SESSION, str(self.sign_in.get("sid", ""))),
            (CutKind.EVERYTHING, ""),
        )
        return replica.cut_reason(self.at.timestamp(), carried) or owner_cut(self.at, client)


def owner_cut(at: datetime, owner: User | Client | None) -> str | None:
    """Which cut in the row of its person or its client refuses what was approved ``at``, or None.

    That row remembers when the cut itself has lapsed, and what was being approved as the cut was made.
    """
    if owner is None or owner.cut_at is None or at > owner.cut_at:
        return None
    return f"approved {at}, cut {owner.cut_at}"


def family_refusal(family: TokenFamily, client: Client | None, replica: RevocationReplica) -> Refusal | None:
    """Why nothing of this family is accepted, or None. ``client``: the family's."""
    if family.ended_at is not None:
        return Refusal(Rule.REFRESH_FAMILY_ENDED, f"family {family.family_id} ended: {family.end_reason}")
    approved = Approved(family.approved_at, family.family_id, family.subject, family.client_id, family.sign_in)
    if reason := approved.cut_reason(replica, client):
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
    if reason := owner_cut(family.approved_at, user):
        return Refusal(Rule.REFRESH_FAMILY_ENDED, reason)
    return None


def refresh_refusal(
    held: HeldRefreshToken, client: Client | None, replica: RevocationReplica, now: datetime
) -> Refusal | None:
    """Why a refresh token is not active, whoever asks; the person aside."""
    return family_refusal(held.family, client, replica) or spent(held) or lapse(held, now)
