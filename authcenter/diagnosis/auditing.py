"""Whether all that was audited is where it can be proved: in the database, and under a signed checkpoint."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from authcenter.diagnosis.facts import Facts, RecordFacts
from authcenter.diagnosis.finding import Finding, Severity

_SPOOL_OLD = timedelta(minutes=1)


def spool_left(facts: Facts) -> Iterator[Finding]:
    for file in facts.spool:
        age = facts.now - file.written_at
        if file.size and age > _SPOOL_OLD:
            yield Finding(
                "audit.spool",
                Severity.ERROR,
                f"{file.name}",
                f"{file.size} bytes of audit rows lie on this machine's disk since {_instant(file.written_at)}, and are"
                " neither in the database nor in any checkpoint",
                "keep the file; a process with this state directory takes it in once the database answers",
                "README, Proof: the audit log",
            )


def checkpoint_late(facts: Facts) -> Iterator[Finding]:
    if not isinstance(facts.record, RecordFacts):
        return
    audit = facts.record.audit
    if audit.settled_at is None or (audit.checkpoint_at is not None and audit.checkpoint_at >= audit.settled_at):
        return
    last = f"the last one is of {_instant(audit.checkpoint_at)}" if audit.checkpoint_at else "there never was one"
    yield Finding(
        "audit.no_checkpoint",
        Severity.WARNING,
        "audit log",
        f"no signed checkpoint covers what happened until {_instant(audit.settled_at)}; {last}: whoever"
        " cuts the end off the table is not found out",
        "see that `authcenter serve` or `worker` runs, and what its log says of audit_checkpoint_postponed",
        "README, Proof: the audit log",
    )


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
