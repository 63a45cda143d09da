"""Which requests ``authcenter explain`` is to know: all that were refused, and of those that were answered, all at the
protocol's endpoints. What a token's own audit row says of its request is not said twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from authcenter.audit.traces import Traced, TraceLog
from authcenter.core.checks import Check, Trace, begin_trace, current_trace, failed
from authcenter.core.clock import Clock
from authcenter.core.event import Event, EventKind
from authcenter.core.rules import Rule
from authcenter.http.context import RequestNotes

_EXPLAINED = frozenset(
    {
        "/oauth/authorize",
        "/oauth/device_authorization",
        "/oauth/introspect",
        "/oauth/logout",
        "/oauth/par",
        "/oauth/revoke",
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/validate",
        "/oauth/validate/{gateway}",
    }
)
_READS = frozenset({"/oauth/introspect", "/oauth/userinfo", "/oauth/validate", "/oauth/validate/{gateway}"})
_PROOFS = frozenset({"client_authentication", "access_token"})
"""The checks by which a client proves itself, or a token of it does."""

_CODES_REFUSED = frozenset({Rule.SECOND_FACTOR_WRONG, Rule.SECOND_FACTOR_REPLAYED, Rule.RECOVERY_CODE_WRONG})
"""Of somebody who has proved the first factor: known by more than what a stranger typed."""

_SIGN_INS_REFUSED = _CODES_REFUSED | {
    *(Rule.USER_UNKNOWN, Rule.USER_PASSWORD_WRONG, Rule.USER_DISABLED),
    *(Rule.USER_ADDRESS_UNVERIFIED, Rule.USER_RESET_REQUIRED),
    *(Rule.PASSKEY_SIGNATURE, Rule.PASSKEY_FOREIGN, Rule.PASSKEY_COUNTER),
    *(Rule.PASSKEY_UNKNOWN, Rule.PASSKEY_UNVERIFIED),
}
"""What a password, a code or a passkey was looked at for; limits refuse the rest unseen."""

_SET_UP_AT = frozenset({"/account/second-factors", "/account/passkeys"})
"""There the same rules refuse what somebody who is signed in adds: no sign-in."""


@dataclass(frozen=True, slots=True)
class RequestTracer:
    """Begins a trace for each request, and keeps it where it is to be explained.

    Attributes:
        audit: Has an audit row written (``GroupedAudit.record``): of sign-ins that were refused.
        key: Of the marks that stand for random values.
    """

    log: TraceLog
    audit: Callable[[Callable[[], Event], datetime], None]
    clock: Clock
    key: bytes

    def begin(self) -> None:
        begin_trace(self.key)

    def record(self, route: str, method: str, status: int, notes: RequestNotes) -> None:
        trace = current_trace()
        if trace is None or not self._is_explained(trace, route, notes):
            return
        rule, hint = notes.verdict or ("", "")
        if rule and all(held for _, held, _ in trace.checks):
            # Whoever refused said no more than the rule's name and its hint.
            failed(str(rule))
        if rule in _SIGN_INS_REFUSED and route not in _SET_UP_AT:
            subject = _subject(trace.checks) if rule in _CODES_REFUSED else ""
            self.audit(partial(_refused, rule, subject, notes), self.clock.now())
        self.log.record(
            Traced(
                origin=notes.origin,
                method=method,
                route=route,
                status=status,
                client_id=notes.client_id or _named(trace.checks),
                rule=rule,
                hint=hint,
                checks=trace.checks,
                known=any(name in _PROOFS and held for name, held, _ in trace.checks),
            )
        )

    def _is_explained(self, trace: Trace, route: str, notes: RequestNotes) -> bool:
        if notes.verdict is not None:
            return True
        if route in _READS:
            return self.log.takes_answered_read()
        return route in _EXPLAINED and not trace.recorded


def _refused(rule: str, subject: str, notes: RequestNotes) -> Event:
    # Not what was typed as a name, which now and then is a password.
    client_id = notes.client_id or ""
    return Event(EventKind.SIGN_IN_REFUSED, "stranger", client_id, subject, notes.origin, {"rule": rule})


def _named(checks: Sequence[Check]) -> str:
    """The client that the checks are about, where the request itself did not name one in its form."""
    return next((str(facts["client_id"]) for _, _, facts in checks if facts.get("client_id")), "")


def _subject(checks: Sequence[Check]) -> str:
    """Whom the check was about that did not pass."""
    return next((str(facts["subject"]) for _, held, facts in checks if not held and "subject" in facts), "")
