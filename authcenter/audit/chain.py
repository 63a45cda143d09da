"""The hash chain of one writer's rows, which also holds where a person has been erased from it.

What may name a person enters the hash as SHA-256 under a salt of that field's own. A row that a person was erased from
keeps those digests in the place of the fields: it verifies as before, and nobody can try out who it was, the salts
being gone. Who erases must say so in the log (``erasure``), signed: a row emptied without an event that names it is
altered. Hashes have no secret, so whoever can write to the database can begin a chain and say there what they like.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from authcenter.core.event import Event, EventKind
from authcenter.stores.ports.audit import AuditRow

GENESIS = "0" * 64
ERASED_ROWS = "rows"
"""The member of an erasure's context that names what it emptied: by fields (words) and writer, the sequences."""

ERASURE_PROOF = "proof"
"""The member that signs ``erasure_statement``."""

Proves: TypeAlias = Callable[[str, bytes], bool]
"""Whether a proof is one of ours, for that statement (``CheckpointKeys.proves``)."""

_FORMAT = 2
_PERSONAL: Mapping[int, tuple[str, ...]] = {
    1: ("ip", "user_agent", "actor", "subject"),
    2: ("ip", "user_agent", "actor", "subject", "context"),
}
_BLANK = {"context": "{}"}
INDEXED: Mapping[str, str] = {"jti": "jti", "family": "fam"}
"""What a row repeats of its context, so that it can be looked for; the hash holds the context."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
_CONTEXT = msgspec.json.Encoder(order="sorted", enc_hook=str)
_CONTEXT_READER = msgspec.json.Decoder()
_STRING = msgspec.json.Encoder()
_DELETE = "\x7f"


def link(event: Event, at: datetime, writer: str, sequence: int, prev_hash: str) -> AuditRow:
    """The row that records ``event`` behind the row whose hash is ``prev_hash``.

    Written out what ``row_hash`` does field by field: every token that is issued is one row.
    """
    origin, kind = event.origin, str(event.kind)
    actor, subject = event.actor, event.subject
    ip, user_agent, request_id = (origin.ip, origin.user_agent, origin.request_id) if origin else ("", "", "")
    occurred_at, salt = at.isoformat(timespec="microseconds"), os.urandom(16).hex()
    context = _context(event)
    # The names in the order in which ``canonical`` sorts them.
    encoded = (
        f'{{"actor":"{_salted(salt, "actor", actor)}","client_id":{_quoted(event.client_id)},'
        f'"context":"{_salted(salt, "context", context)}","event":{_quoted(kind)},"format":{_FORMAT},'
        f'"ip":"{_salted(salt, "ip", ip)}","occurred_at":"{occurred_at}","prev_hash":"{prev_hash}",'
        f'"request_id":{_quoted(request_id)},"sequence":{sequence},"subject":"{_salted(salt, "subject", subject)}",'
        f'"user_agent":"{_salted(salt, "user_agent", user_agent)}","writer":"{writer}"}}'
    )
    return AuditRow(
        occurred_at=occurred_at,
        event=kind,
        actor=actor,
        client_id=event.client_id,
        subject=subject,
        ip=ip,
        user_agent=user_agent,
        request_id=request_id,
        context=context,
        writer=writer,
        sequence=sequence,
        salt=salt,
        prev_hash=prev_hash,
        row_hash=hashlib.sha256(encoded.encode()).hexdigest(),
        format=_FORMAT,
        jti=_text(event.context.get("jti")),
        family=_text(event.context.get("fam")) if _has_family(event.client_id, subject) else "",
    )


def row_hash(row: AuditRow) -> str:
    """SHA-256 over the row's canonical encoding, which holds ``prev_hash`` and the digests of what may name a person.

    Raises:
        ValueError: The row is none that ``link`` or ``without`` made.
    """
    fields = asdict(row)
    for name in ("row_hash", "salt", "erased", *INDEXED):
        del fields[name]
    if row.format == 1:
        # As rows were before they said what they are.
        del fields["format"]
    kept = _Kept.of(row)
    fields.update({name: kept.digest(name, fields[name]) for name in _personal(row)})
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def without(row: AuditRow, names: frozenset[str]) -> AuditRow:
    """``row`` with the fields ``names`` emptied for good; its hash stays.

    What else may name a person keeps a salt of its own, so that it goes on being verified. In rows of before formats
    were told, all fields share one, and go together.
    """
    kept, personal = _Kept.of(row), _personal(row)
    emptied = {name for name in personal if name in kept.digests or name in names or row.format == 1}
    erased = {
        "digests": {name: kept.digest(name, getattr(row, name)) for name in emptied},
        "salts": {name: kept.salt(name) for name in personal if name not in emptied},
    }
    blank: dict[str, Any] = {name: _BLANK.get(name, "") for name in emptied}
    return replace(row, **blank, salt="", erased=canonical(erased))


def erasure_statement(named: Any) -> bytes:
    """What proves an erasure that emptied ``named``, once it is signed."""
    return canonical({"erased": named}).encode()


def nothing_proven(proof: str, statement: bytes) -> bool:
    """``Proves``, where no erasure counts."""
    return False


def first_break(rows: Sequence[AuditRow], proves: Proves = nothing_proven) -> AuditRow | None:
    """The first row, by writer and sequence, that is altered, missing its predecessor, out of order, or emptied without
    an erasure that names it."""
    named = named_by_erasures(rows, proves)
    heads: dict[str, tuple[int, str]] = {}
    for row in rows:
        sequence, prev_hash = heads.get(row.writer, (0, GENESIS))
        if row.sequence != sequence + 1 or row.prev_hash != prev_hash or not holds(row):
            return row
        if not emptied_fields(row) <= named[row.writer, row.sequence]:
            return row
        heads[row.writer] = (row.sequence, row.row_hash)
    return None


def emptied_fields(row: AuditRow) -> frozenset[str]:
    """The fields of a row that somebody was erased from. Raises ``ValueError``, as ``row_hash``."""
    return frozenset(_Kept.of(row).digests)


def erased_rows(rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Those that somebody was erased from, of rows whose chains hold."""
    return [row for row in rows if row.erased]


def canonical(value: object) -> str:
    """``value`` as JSON in the one way that is hashed."""
    return _ENCODER.encode(value)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a row's personal fields are verified by: salts, or once they have been emptied their digests."""

    row: AuditRow
    digests: Mapping[str, str] = field(default_factory=dict)
    salts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: AuditRow) -> "_Kept":
        if not row.erased:
            return cls(row)
        erased = json.loads(row.erased)
        digests, salts = _texts(erased, "digests"), _texts(erased, "salts")
        if row.salt or digests.keys() | salts.keys() != set(_personal(row)) or digests.keys() & salts.keys():
            raise ValueError("neither whole nor emptied")
        if canonical({"digests": digests, "salts": salts}) != row.erased:
            raise ValueError("not as it was written")
        if any(getattr(row, name) != _BLANK.get(name, "") for name in digests):
            raise ValueError("an emptied field holds something")
        return cls(row, digests, salts)

    def salt(self, name: str) -> str:
        if name in self.salts:
            return self.salts[name]
        if self.row.format == 1:
            return self.row.salt
        return hashlib.sha256(canonical([self.row.salt, name]).encode()).hexdigest()

    def digest(self, name: str, value: object) -> str:
        if name in self.digests:
            return self.digests[name]
        return hashlib.sha256(canonical([self.salt(name), value]).encode()).hexdigest()


def _context(event: Event) -> str:
    try:
        return _CONTEXT.encode(dict(event.context)).decode()
    except UnicodeEncodeError:
        # A lone surrogate, from the command line or a client's JSON.
        return canonical(msgspec.to_builtins(dict(event.context), enc_hook=_as_builtins))


def _as_builtins(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else str(value)


def holds(row: AuditRow) -> bool:
    """Whether the row is as it was written, but for what an erasure may have emptied."""
    try:
        return row.row_hash == row_hash(row) and _repeats(row)
    except (ValueError, RecursionError):
        return False


def _repeats(row: AuditRow) -> bool:
    emptied = emptied_fields(row)
    if "context" in emptied:
        return True
    context = _read(row.context)
    if not isinstance(context, dict):
        return False
    told = {name: _text(context.get(member)) for name, member in INDEXED.items()}
    if row.format == 1:
        # Of before there was anything to look them up by.
        return all(getattr(row, name) in ("", told[name]) for name in told)
    if not _has_family(row.client_id, row.subject) or ("subject" in emptied and not row.family):
        told["family"] = ""
    return all(getattr(row, name) == told[name] for name in told)


def _read(context: str) -> Any:
    try:
        return _CONTEXT_READER.decode(context)
    except msgspec.DecodeError:
        # A lone surrogate, or none that was written here.
        return json.loads(context)


def _has_family(client_id: str, subject: str) -> bool:
    """A client's own tokens have none that anybody looks for."""
    return subject != client_id or not subject


def _salted(salt: str, name: str, value: str) -> str:
    own = hashlib.sha256(f'["{salt}","{name}"]'.encode()).hexdigest()
    return hashlib.sha256(f'["{own}",{_quoted(value)}]'.encode()).hexdigest()


def _quoted(text: str) -> str:
    """As ``canonical`` writes a string. Contexts are long, and most of them are what both encoders write alike."""
    if text.isascii() and _DELETE not in text:
        return _STRING.encode(text).decode()
    return json.encoder.encode_basestring_ascii(text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _personal(row: AuditRow) -> tuple[str, ...]:
    if row.format not in _PERSONAL:
        raise ValueError(f"format {row.format}")
    return _PERSONAL[row.format]


def _texts(erased: Any, name: str) -> dict[str, str]:
    found = erased.get(name) if isinstance(erased, dict) else None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"no {name}")
    return found


def named_by_erasures(rows: Sequence[AuditRow], proves: Proves) -> Mapping[tuple[str, int], frozenset[str]]:
    """What may have been emptied. A forged erasure, in a chain that somebody began for it, has no proof."""
    named = defaultdict[tuple[str, int], frozenset[str]](frozenset)
    for row in rows:
        if row.event == EventKind.AUDIT_ERASED and holds(row):
            context = json.loads(row.context)
            if _is_proven(context, proves):
                for words, writer, number in _told(context):
                    named[writer, number] |= frozenset(words.split())
    return named


def _is_proven(context: Any, proves: Proves) -> bool:
    proof = context.get(ERASURE_PROOF) if isinstance(context, dict) else None
    try:
        return isinstance(proof, str) and proves(proof, erasure_statement(context.get(ERASED_ROWS)))
    except RecursionError:
        return False


def _told(context: Any) -> Iterator[tuple[str, str, int]]:
    """Fields, writer and sequence of what an erasure says it emptied; a forger's may be of any shape."""
    by_fields = context.get(ERASED_ROWS) if isinstance(context, dict) else None
    for words, writers in by_fields.items() if isinstance(by_fields, dict) else ():
        for writer, numbers in writers.items() if isinstance(writers, dict) else ():
            for number in numbers if isinstance(numbers, list) else ():
                if isinstance(number, int):
                    yield words, writer, number
