"""``/admin/v1/audit``: what happened, and the proof that nobody has changed what is said of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.audit.issued_together import as_wanted
from authcenter.audit.sources import Table
from authcenter.audit.verification import verify
from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, InvalidInput, invalid_request
from authcenter.core.rules import Rule
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.instants import iso_instant_of
from authcenter.http.admin.paging import PARAMETERS, wanted_page, whole
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail

_FILTERS = {
    "event": "event",
    "client": "client_id",
    "person": "person",
    "request": "request_id",
    "family": "family",
    "jti": "jti",
    "ip": "ip",
}
"""As the query names them, and the fields of ``AuditFilter``."""

_LONGEST_VALUE = 255
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class AuditEndpoints:
    """Lists rows, the newest first; verifies all of them."""

    frame: AdminFrame
    trail: AuditTrail
    keys: CheckpointKeys
    clock: Clock
    _verifying: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def mount(self, router: Router) -> None:
        query = (*_FILTERS, "since", "until", *PARAMETERS)
        self.frame.mount(router, "GET", "/audit", self.list_rows, query=query)
        self.frame.mount(router, "POST", "/audit/verify", self.verify)

    async def list_rows(self, asked: Asked) -> Answer:
        page, wanted = wanted_page(asked.query), self._filter(asked.query)
        found = await self.trail.find(wanted, page.limit, _place(page.after) if page.after else None)
        cursor = None
        if found.older is not None:
            cursor = base64url.encode("|".join(map(str, found.older)).encode())
        return whole([_described(row) for row in as_wanted(found.rows, wanted)], cursor)

    async def verify(self, _: Asked) -> Answer:
        """Every row and every checkpoint of the table; archives are verified at the command line.

        One at a time: each reads the whole log.
        """
        if self._verifying.locked():
            raise Conflict("the log is being verified: wait for the end of that")
        async with self._verifying:
            verdict = await verify([Table(self.trail)], self.keys)
        return no_store(encode({"holds": not verdict.findings, **asdict(verdict)}))

    def _filter(self, query: Mapping[str, str]) -> AuditFilter:
        given = {member: query.get(name, "") for name, member in _FILTERS.items()}
        for name, member in _FILTERS.items():
            if len(given[member]) > _LONGEST_VALUE or not given[member].isprintable():
                raise InvalidInput(f"{name}: at most {_LONGEST_VALUE} printable characters")
        now = self.clock.now()
        since, until = (iso_instant_of(name, query.get(name, ""), now) for name in ("since", "until"))
        return AuditFilter(**given, since=since, until=until)


def _place(after: str) -> Place:
    occurred_at, _, rest = after.partition("|")
    writer, _, sequence = rest.rpartition("|")
    if not writer or not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= 18):
        raise invalid_request(Rule.PAGE_MALFORMED, "The cursor is malformed.", f"it names {after!a:.80}")
    return occurred_at, writer, int(sequence)


def _described(row: AuditRow) -> dict[str, Any]:
    """As it is hashed, but of a token that was looked for; the context read."""
    return {**asdict(row), "context": row.told}
