"""What the log and the facts of a refused request say beyond its rule: who used the code before, when the secret was
rotated, in which character a URI differs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from authcenter.audit.differences import closest, difference
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail
from authcenter.stores.ports.request_traces import RequestTrace

Facts = Mapping[str, Mapping[str, Any]]
"""By name of the check."""

_MOST_ROWS = 100
_SHOWN_KEYS = 10
_SHOWN_ROWS = 10


async def evidence_of(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> Sequence[str]:
    """Sentences, in the order of their weight. Raises ``StoreUnavailable``."""
    looks_up = _LOOKED_UP.get(trace.rule)
    said = _SAID.get(trace.rule)
    return [
        *(said(facts) if said else ()),
        *(await looks_up(trace, facts, trail) if looks_up else ()),
    ]


def _redirect_uri(facts: Facts) -> list[str]:
    about = facts.get("redirect_uri", {})
    came = about.get("came")
    at_token = "expected" in about
    known = [about["expected"]] if at_token else str(about.get("registered") or "").split()
    name = "In the authorization request" if at_token else "Registered"
    if not isinstance(came, str):
        return ["The request named no redirect URI.", *[f"{name}: {uri}" for uri in known]]
    lines = [f"Came: {came}", *[f"{name}: {uri}" for uri in known]]
    near = closest(came, known)
    return [*lines, f"It differs from {near} {difference(near, came)}."] if near else lines


def _pkce(facts: Facts) -> list[str]:
    about = facts.get("pkce", {})
    if about.get("verifier_is_challenge"):
        return ["The verifier that came is the challenge itself: the client sends the challenge twice."]
    if "challenge_sent" in about and about.get("verifier_sent"):
        return ["The request carries a `code_verifier`: that is for the token endpoint, here belongs the challenge."]
    if "came" in about and "expected" in about and about.get("method"):
        return [f"The challenge is {about['expected']}, the verifier makes {about['came']}: is it another sign-in's?"]
    return []


def _lateness(facts: Facts) -> list[str]:
    for about in facts.values():
        if "late_seconds" in about:
            late, expired_at, clock = about["late_seconds"], about.get("expired_at"), about.get("clock")
            return [f"Late by {late} s: it lapsed at {expired_at}, the clock here said {clock}."]
        if "early_seconds" in about:
            early, clock = about["early_seconds"], about.get("clock")
            begins = about.get("issued_at") or about.get("valid_from") or about.get("begins_at")
            given = f", and {about['leeway_seconds']} s of leeway are given" if "leeway_seconds" in about else ""
            return [
                f"Early by {early} s: it begins at {begins}, the clock here said {clock}{given}.",
                "The clock of whoever made it runs ahead of this one, or this one lags behind.",
            ]
    return []


def _token(facts: Facts) -> list[str]:
    about = facts.get("access_token", {})
    lines = _lateness(facts)
    if not lines and about.get("clock"):
        lines = [f"The clock here said {about['clock']}."]
    if "live_keys" in about:
        keys = str(about["live_keys"]).split()
        lines.append(f"Keys that were live: {', '.join(keys[:_SHOWN_KEYS]) or 'none'}.")
    return lines


def _audience(facts: Facts) -> list[str]:
    about = facts.get("audience", {})
    if not about.get("expected"):
        return []
    return [f"The token is for {about.get('came') or 'nobody'}; here it must be for {about['expected']}."]


def _password(facts: Facts) -> list[str]:
    # Not in what, nor by how much: whoever reads this could guess on.
    return ["The name is known; the password that came differs."]


def _pushed(facts: Facts) -> list[str]:
    spent_at = facts.get("pushed_request", {}).get("spent_at")
    return [f"It was used at {spent_at}."] if spent_at else []


async def _family(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    family = next((str(about["family"]) for about in facts.values() if about.get("family")), "")
    if not family:
        return []
    rows = (await trail.find(AuditFilter(family=family), _MOST_ROWS)).rows
    return [_told(row) for row in reversed(rows) if row.request_id != trace.request_id][-_SHOWN_ROWS:]


async def _ended(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    """When and why a family ended: by itself, or with all that its person or its client had."""
    about = facts.get("refresh_lifetime", {})
    lines = list[str]()
    if ended_at := about.get("family_ended_at"):
        lines.append(f"The family ended at {ended_at}: {about.get('family_ended_for') or 'no reason given'}.")
    lines += [*await _family(trace, facts, trail), *await _cuts(facts, trail), *await _person(trace, facts, trail)]
    return list(dict.fromkeys(lines))


async def _person(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    """What was done to the account."""
    subject = next((str(about["subject"]) for about in facts.values() if about.get("subject")), "")
    if not subject:
        return []
    found = list[AuditRow]()
    for kind in (EventKind.USER_DISABLED, EventKind.USER_DELETED):
        found.extend((await trail.find(AuditFilter(event=kind, person=subject), 1)).rows)
    return [_told(row) for row in found]


async def _client(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    """What was done to the client's registration."""
    if not trace.client_id:
        return []
    found = list[AuditRow]()
    for kind in (EventKind.CLIENT_UPDATED, EventKind.CLIENT_DELETED):
        found.extend((await trail.find(AuditFilter(event=kind, client_id=trace.client_id), 1)).rows)
    return [_told(row) for row in found]


async def _rotations(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    about = facts.get("client_authentication", {})
    lines = []
    if about.get("newest_secret_of"):
        live, newest = about.get("live_secrets"), about["newest_secret_of"]
        lines.append(f"Live secrets of the client: {live}, the newest made {newest}.")
    wanted = AuditFilter(event=EventKind.CLIENT_SECRET_ROTATED, client_id=trace.client_id)
    rows = (await trail.find(wanted, 1)).rows if trace.client_id else ()
    return lines + [
        f"{_told(row)} Whoever still has the secret of before is refused once it has lapsed." for row in rows
    ]


async def _keys(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    rows = (await trail.find(AuditFilter(event="key."), 5)).rows
    return [_told(row) for row in rows]


async def _revocations(trace: RequestTrace, facts: Facts, trail: AuditTrail) -> list[str]:
    about = facts.get("revocation", {})
    found = list[AuditRow]()
    for wanted in (
        AuditFilter(event=EventKind.TOKEN_REVOKED, jti=str(about.get("jti") or "")),
        AuditFilter(event=EventKind.FAMILY_ENDED, family=str(about.get("family") or "")),
        AuditFilter(event=EventKind.REFRESH_REPLAYED, family=str(about.get("family") or "")),
        AuditFilter(event=EventKind.CODE_REPLAYED, family=str(about.get("family") or "")),
    ):
        if wanted.jti or wanted.family:
            found.extend((await trail.find(wanted, 3)).rows)
    kid = about.get("kid")
    revoked_keys = (await trail.find(AuditFilter(event=EventKind.KEY_REVOKED), _SHOWN_KEYS)).rows if kid else ()
    found.extend(row for row in revoked_keys if row.told.get("kid") == kid)
    lines = [*map(_told, found), *await _cuts(facts, trail), *await _person(trace, facts, trail)]
    return list(dict.fromkeys(lines))


async def _cuts(facts: Facts, trail: AuditTrail) -> list[str]:
    """What ended all that a client or a person had."""
    found = list[AuditRow]()
    for about in facts.values():
        for wanted in (
            AuditFilter(event=EventKind.TOKENS_CUT, client_id=str(about.get("client_id") or "")),
            AuditFilter(event=EventKind.TOKENS_CUT, person=str(about.get("subject") or "")),
            AuditFilter(event=EventKind.TOKENS_CUT, family=str(about.get("family") or "")),
            AuditFilter(event=EventKind.USER_LOGGED_OUT, person=str(about.get("subject") or "")),
            AuditFilter(event=EventKind.SESSION_ENDED, person=str(about.get("subject") or "")),
        ):
            if wanted.client_id or wanted.person or wanted.family:
                found.extend((await trail.find(wanted, 3)).rows)
    return list(dict.fromkeys(map(_told, found)))


def _told(row: AuditRow) -> str:
    context = row.told
    why = f", because: {context['reason']}" if context.get("reason") else ""
    where = f" from {row.ip}" if row.ip else ""
    request = f" (request {row.request_id})" if row.request_id else ""
    return f"{row.occurred_at[:19]}Z {row.event} by {row.actor}{where}{why}{request}."


_SAID: Mapping[str, Callable[[Facts], list[str]]] = {
    Rule.REDIRECT_URI: _redirect_uri,
    Rule.CODE_REDIRECT_URI: _redirect_uri,
    Rule.LOGOUT_URI: _redirect_uri,
    Rule.PKCE_MISMATCH: _pkce,
    Rule.PKCE_REQUIRED: _pkce,
    Rule.CODE_EXPIRED: _lateness,
    Rule.DEVICE_CODE_EXPIRED: _lateness,
    Rule.REFRESH_EXPIRED: _lateness,
    Rule.REQUEST_URI_EXPIRED: _lateness,
    Rule.REQUEST_URI_SPENT: _pushed,
    Rule.REQUEST_OBJECT_TIME: _lateness,
    Rule.TICKET_EXPIRED: _lateness,
    Rule.TOKEN_EXPIRED: _token,
    Rule.TOKEN_NOT_YET_VALID: _token,
    Rule.TOKEN_ISSUED_IN_FUTURE: _token,
    Rule.TOKEN_KID: _token,
    Rule.TOKEN_AUDIENCE: _audience,
    Rule.USER_PASSWORD_WRONG: _password,
}

_LOOKED_UP: Mapping[str, Callable[[RequestTrace, Facts, AuditTrail], Awaitable[list[str]]]] = {
    Rule.CODE_REPLAYED: _family,
    Rule.CODE_CUT: _ended,
    Rule.CODE_USER_GONE: _person,
    Rule.DEVICE_CODE_REPLAYED: _family,
    Rule.DEVICE_CODE_CUT: _ended,
    Rule.DEVICE_CODE_USER_GONE: _person,
    Rule.REFRESH_REPLAYED: _family,
    Rule.REFRESH_FAMILY_ENDED: _ended,
    Rule.REFRESH_USER_GONE: _person,
    Rule.CLIENT_SECRET_WRONG: _rotations,
    Rule.CLIENT_DISABLED: _client,
    Rule.CLIENT_UNKNOWN: _client,
    Rule.CONSENT_DENIED: _family,
    Rule.TOKEN_KID: _keys,
    Rule.TOKEN_REVOKED: _revocations,
    Rule.USER_DISABLED: _person,
}
