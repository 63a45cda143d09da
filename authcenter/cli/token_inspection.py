"""What a token says, and whether it would be accepted: the whole verdict, without the token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.explanations import EXPLANATIONS
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.instants import instant
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.token import HeldRefreshToken
from authcenter.jose.jws import CompactJws, MalformedJws
from authcenter.jose.jws import split as split_jws
from authcenter.tokens.families import split as split_refresh_token
from authcenter.tokens.refusal import owner_refusal, refresh_refusal
from authcenter.wiring.core import Core

_INSTANTS = ("exp", "nbf", "iat", "auth_time")
_MOST_SECONDS = datetime(9999, 12, 31, tzinfo=UTC).timestamp()

_OF_OURS = frozenset({Reason.EXPIRED, Reason.NOT_YET_VALID, Reason.ISSUED_IN_FUTURE, Reason.REVOKED})
"""Reasons that only come up once signature and issuer have held."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What to print of a token.

    Attributes:
        accepted: Whether this server would accept it now; audience and binding are the resource server's to check.
    """

    accepted: bool
    described: Mapping[str, Any]


async def inspect_token(core: Core, token: Secret) -> Inspection:
    """Look at an access token or a refresh token of ours, by the record as it is now.

    Raises:
        StoreUnavailable: Cannot tell.
    """
    await core.keys.reload()
    await core.revocations.poll(core.policy.current.revocation.short_hash_bytes)
    value = token.reveal()
    return await (_refresh_token(core, value) if split_refresh_token(value) else _access_token(core, value))


async def _access_token(core: Core, token: str) -> Inspection:
    verdict, ours = _verdict(None, ""), True
    try:
        await core.verifier.read(token)
    except TokenRejected as rejected:
        verdict, ours = _verdict(rejected.rule, rejected.hint), rejected.reason in _OF_OURS
    described = verdict | {"kind": "access token", "issued_here": ours} | _contents(core, token)
    return Inspection(verdict["accepted"], described)


def _contents(core: Core, token: str) -> dict[str, Any]:
    """Header and claims as they stand there, believed or not."""
    try:
        jws = split_jws(token)
    except MalformedJws:
        return {}
    claims = _claims(jws)
    state = core.keys.ring.states.get(str(jws.header.get("kid")))
    times = {name: _human(claims[name]) for name in _INSTANTS if name in claims}
    return {
        "key_state": state.value if state else "unknown",
        "header": jws.header,
        "claims": claims,
        "times": times,
    }


def _claims(jws: CompactJws) -> dict[str, Any]:
    try:
        return jws.claims()
    except MalformedJws:
        return {}


def _human(seconds: object) -> str | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST_SECONDS:
        return None
    return instant(datetime.fromtimestamp(seconds, UTC))


async def _refresh_token(core: Core, token: str) -> Inspection:
    held = await core.families.find(token)
    if held is None:
        verdict = _verdict(Rule.REFRESH_UNKNOWN, "no such token, or not as it was issued")
        return Inspection(False, verdict | {"kind": "refresh token"})
    verdict = _verdict(*(await _refresh_refusal(core, held) or (None, "")))
    stored, family = held.token, held.family
    return Inspection(
        verdict["accepted"],
        verdict
        | {
            "kind": "refresh token",
            "state": _refresh_state(core, held),
            "issued_at": instant(stored.issued_at),
            "expires_at": instant(stored.expires_at),
            "spent_at": instant(stored.spent_at) if stored.spent_at else None,
            "fam": family.family_id,
            "client_id": family.client_id,
            "sub": family.subject,
            "scope": str(family.scope),
            "aud": list(family.audience),
            "family_approved_at": instant(family.approved_at),
            "family_expires_at": instant(family.expires_at),
            "family_ended_at": instant(family.ended_at) if family.ended_at else None,
            "family_end_reason": family.end_reason or None,
        },
    )


def _refresh_state(core: Core, held: HeldRefreshToken) -> str:
    if held.token.spent_at is not None:
        return "spent"
    return "lapsed" if held.token.expires_at <= core.clock.now() else "unspent"


async def _refresh_refusal(core: Core, held: HeldRefreshToken) -> tuple[Rule, str] | None:
    """What the token endpoint would refuse it by, whoever presents it."""
    client = await core.stores.clients.find(held.family.client_id)
    refusal = refresh_refusal(held, client, core.revocations.replica, core.clock.now())
    if refusal is None and held.family.subject.startswith(SUBJECT_PREFIX):
        refusal = owner_refusal(held.family, await core.stores.users.find(held.family.subject))
    return (refusal.rule, refusal.hint) if refusal else None


def _verdict(rule: Rule | None, hint: str) -> dict[str, Any]:
    if rule is None:
        return {"accepted": True, "rule": None}
    explanation = EXPLANATIONS[rule]
    return {
        "accepted": False,
        "rule": rule.value,
        "hint": hint,
        "cause": explanation.cause,
        "remedy": explanation.remedy,
    }
