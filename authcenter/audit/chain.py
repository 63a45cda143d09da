"""The hash chain of one writer's rows."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from authcenter.core.event import Event
from authcenter.stores.ports.audit import AuditRow

GENESIS = "0" * 64
_PERSONAL = ("ip", "user_agent", "actor", "subject")


def link(event: Event, at: datetime, writer: str, sequence: int, prev_hash: str) -> AuditRow:
    """The row that records ``event`` behind the row whose hash is ``prev_hash``."""
    origin = event.origin
    row = AuditRow(
        occurred_at=at.isoformat(timespec="microseconds"),
        event=event.kind,
        actor=event.actor,
        client_id=event.client_id,
        subject=event.subject,
        ip=origin.ip if origin else "",
        user_agent=origin.user_agent if origin else "",
        request_id=origin.request_id if origin else "",
        context=_canonical(dict(event.context)),
        writer=writer,
        sequence=sequence,
        salt=secrets.token_hex(16),
        prev_hash=prev_hash,
        row_hash="",
    )
    return replace(row, row_hash=row_hash(row))


def row_hash(row: AuditRow) -> str:
    """SHA-256 over the row's canonical encoding, which holds ``prev_hash``. Personal fields enter salted, so that
    erasing a person (fields and salt) can be told from tampering by keeping their digests."""
    fields = asdict(row)
    del fields["row_hash"]
    salt = fields.pop("salt")
    for name in _PERSONAL:
        fields[name] = hashlib.sha256(_canonical([salt, fields[name]]).encode()).hexdigest()
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def first_break(rows: Sequence[AuditRow]) -> AuditRow | None:
    """The first row, by writer and sequence, that is altered, missing its predecessor, or out of order."""
    heads: dict[str, tuple[int, str]] = {}
    for row in rows:
        sequence, prev_hash = heads.get(row.writer, (0, GENESIS))
        if row.sequence != sequence + 1 or row.prev_hash != prev_hash or row.row_hash != row_hash(row):
            return row
        heads[row.writer] = (row.sequence, row.row_hash)
    return None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
