"""How long tokens and sessions live (RFC 9700 §2.2, §2.3 and §4.14)."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from authcenter.diagnosis.facts import Facts
from authcenter.diagnosis.finding import Finding, Severity

_HOUR, _DAY = 3600, 86_400
_YEAR = 365 * _DAY
_OPEN_WINDOW = 15 * 60


@dataclass(frozen=True, slots=True)
class _Bound:
    """A lifetime and the number of seconds above which it is long."""

    field: str
    most: int
    severity: Severity
    problem: str
    reference: str


_BOUNDS = (
    _Bound(
        "tokens.access_ttl",
        _HOUR,
        Severity.WARNING,
        "a stolen access token is good for that long wherever nobody asks whether it is revoked",
        "RFC 9700 §2.3 and §4.10",
    ),
    _Bound(
        "tokens.id_token_ttl",
        _HOUR,
        Severity.HINT,
        "an ID token tells of a sign-in, and need only live until the client has read it",
        "OpenID Connect Core §2",
    ),
    _Bound(
        "tokens.authorization_code_ttl",
        60,
        Severity.HINT,
        "a code that leaks through a redirect, a log or a browser's history can be redeemed for that long",
        "RFC 9700 §4.5, RFC 6749 §4.1.2",
    ),
    _Bound(
        "tokens.refresh_ttl",
        90 * _DAY,
        Severity.WARNING,
        "a refresh token that nobody uses should lapse",
        "RFC 9700 §4.14.2",
    ),
    _Bound(
        "tokens.refresh_max_lifetime",
        _YEAR,
        Severity.WARNING,
        "nobody is asked again for that long whether the client may still act for them",
        "RFC 9700 §4.14.2",
    ),
    _Bound(
        "tokens.refresh_reuse_grace",
        30,
        Severity.WARNING,
        "a stolen refresh token that was just used is answered instead of ending its family for that long",
        "RFC 9700 §4.14.2",
    ),
    _Bound(
        "tokens.leeway",
        60,
        Severity.WARNING,
        "tokens and assertions are accepted that long after they have expired",
        "RFC 7519 §4.1.4",
    ),
    _Bound(
        "sessions.max_ttl",
        90 * _DAY,
        Severity.HINT,
        "nobody proves again who they are for that long",
        "NIST SP 800-63B §7.2",
    ),
)


def long_lifetimes(facts: Facts) -> Iterator[Finding]:
    for bound in _BOUNDS:
        value: int = attrgetter(bound.field)(facts.policy)
        if value > bound.most:
            yield Finding(
                f"lifetime.{bound.field}",
                bound.severity,
                f"policy {bound.field}",
                f"{value} s: {bound.problem}",
                f"at most {bound.most} s",
                bound.reference,
            )


def open_while_blind(facts: Facts) -> Iterator[Finding]:
    """What an outage gives away: who knows nothing of new revocations goes on accepting."""
    seconds = facts.policy.tokens.access_ttl
    if facts.policy.revocation.on_outage == "open" and seconds > _OPEN_WINDOW:
        yield Finding(
            "revocation.open_and_long",
            Severity.WARNING,
            "policy revocation.on_outage",
            f"while revocations do not get through, revoked access tokens are accepted, and they live {seconds} s",
            f"set revocation.on_outage to closed, or tokens.access_ttl to at most {_OPEN_WINDOW}",
            "RFC 7009 §3, RFC 9700 §4.10",
        )
