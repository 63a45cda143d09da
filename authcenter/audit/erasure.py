"""Erasing a person from the audit log: what names them goes, the chain stays."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from authcenter.audit.chain import ERASED_ROWS, ERASURE_PROOF, emptied_fields, erasure_statement, without
from authcenter.core.event import Event, EventKind
from authcenter.core.user import User, name_key
from authcenter.stores.ports.audit import AuditRow, EmptiedRow


@dataclass(frozen=True, slots=True)
class Erasure:
    """Rows as they are to read from now on, and the event without which they would count as altered."""

    rows: Sequence[EmptiedRow]
    event: Event


def erasure_of(user: User, rows: Sequence[AuditRow], prove: Callable[[bytes], str]) -> Erasure | None:
    """What empties ``rows``, those about ``user``, of the person; None: they hold nothing of them.

    Goes: the subject where it is theirs, as actor and as the one acted on; address and user agent of the requests they
    made; a context that says their name or any mail address. Of who else acted on them, everything stays.

    Args:
        prove: Signs (``CheckpointKeys.prove``): what the database does not have says that it was us.
    """
    emptied: list[EmptiedRow] = []
    named = defaultdict[str, dict[str, list[int]]](dict)
    for before in rows:
        if fields := _fields(user, before):
            after = without(before, fields)
            emptied.append(EmptiedRow(after, before.erased))
            words = " ".join(sorted(emptied_fields(after) - emptied_fields(before)))
            named[words].setdefault(after.writer, []).append(after.sequence)
    if not emptied:
        return None
    # It says nothing of whom.
    context = {ERASED_ROWS: named, ERASURE_PROOF: prove(erasure_statement(named))}
    return Erasure(emptied, Event(EventKind.AUDIT_ERASED, "system", context=context))


def _fields(user: User, row: AuditRow) -> frozenset[str]:
    names = {name for name in ("actor", "subject") if getattr(row, name) == user.subject}
    # A token's request comes from the person's own device as often as from a server.
    if "actor" in names or (names and row.event == EventKind.TOKEN_ISSUED):
        names |= {"ip", "user_agent"}
    if names and _says(row.context, {name_key(user.username), name_key(user.email)}):
        names.add("context")
    return frozenset(names)


def _says(context: str, known: set[str]) -> bool:
    try:
        told = json.loads(context)
    except ValueError:
        # Tampered with: nobody can tell what it says.
        return True
    return any("@" in text or name_key(text) in known for text in _texts(told))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
