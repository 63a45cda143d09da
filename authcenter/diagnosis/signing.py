"""The signing keys: whether there is one, whether it opens, and whether it is time for the next."""

from collections.abc import Iterator
from datetime import timedelta

from authcenter.diagnosis.facts import Facts, RecordFacts
from authcenter.diagnosis.finding import Finding, Severity
from authcenter.keys.ring import KeyState
from authcenter.keys.schedule import RotationRules, next_successions

_LATE = timedelta(hours=1)
"""Longer than any worker takes to notice."""

_OLD = timedelta(days=366)


def no_signing_key(facts: Facts) -> Iterator[Finding]:
    if not isinstance(facts.record, RecordFacts):
        return
    ring, alg = facts.record.ring, facts.policy.tokens.signing_alg
    current = [kid for kid, state in ring.states.items() if state is KeyState.CURRENT and ring.keys[kid].alg == alg]
    if alg in ring.signing:
        return
    if current:
        problem = f"no passphrase of this process opens {current[0]}, which should sign {alg}"
        remedy = "add the passphrase it was encrypted with to AUTHCENTER_KEY_PASSPHRASE, behind the newest"
    else:
        problem = f"there is no key that signs {alg}, the policy's tokens.signing_alg: no token can be issued"
        remedy = f"authcenter keys rotate --alg {alg} --now"
    yield Finding("keys.none", Severity.ERROR, "signing keys", problem, remedy, "RFC 7515 §10.1")


def unreadable_keys(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.record, RecordFacts):
        for kid in facts.record.unreadable_keys:
            yield Finding(
                "keys.unreadable",
                Severity.ERROR,
                f"signing key {kid:.80}",
                "its row is no key: tokens it signed are refused",
                "restore it from a backup, or `authcenter keys revoke` it",
                "RFC 7517 §4",
            )


def overdue_keys(facts: Facts) -> Iterator[Finding]:
    if not isinstance(facts.record, RecordFacts):
        return
    record, rules = facts.record, RotationRules.of(facts.policy)
    for succession in next_successions(record.ring, rules, facts.now):
        late = facts.now - succession.due_at
        if succession.predecessor is not None and late > _LATE:
            pause = record.paused_since
            yield Finding(
                "keys.overdue",
                Severity.ERROR,
                f"signing key {succession.predecessor}",
                f"its successor should have been published {_days(late)} ago"
                + (f"; rotation has been paused since {pause.date().isoformat()}" if pause else ""),
                "authcenter keys pause --resume" if pause else "see that a worker runs, or: authcenter keys rotate",
                "NIST SP 800-57 part 1 §5.3, RFC 9700 §2.5",
            )


def keys_rotated_by_hand(facts: Facts) -> Iterator[Finding]:
    if not isinstance(facts.record, RecordFacts) or facts.policy.keys.rotate_every:
        return
    for key in facts.record.ring.signing.values():
        age = facts.now - key.signs_from
        if age > _OLD:
            yield Finding(
                "keys.old",
                Severity.WARNING,
                f"signing key {key.kid}",
                f"it has signed for {_days(age)}, and the policy rotates keys only by hand",
                "set keys.rotate_every, or: authcenter keys rotate",
                "NIST SP 800-57 part 1 §5.3",
            )


def _days(span: timedelta) -> str:
    return f"{span.days} days" if span.days >= 2 else f"{int(span.total_seconds() // 3600)} hours"
