"""Rows that nothing needs any more."""

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

KEPT_AFTER_END = timedelta(hours=1)
"""How long a row stays after its use has ended: longer than any leeway, any look-back and any request under way."""
KEPT_AFTER_LAST_TOKEN = timedelta(hours=25)
"""How long a family stays after it last gave an access token: as long as one may live, and that hour.

Until then a replayed refresh token must still be known as one, so that it ends what is alive of its family."""

DEAD_JOBS_KEPT = timedelta(days=30)
"""How long a job that was given up stays for operators to look at."""


class Evictable(StrEnum):
    """What dead rows are found in; the ``table`` label of the metrics."""

    REFRESH_TOKENS = "refresh_tokens"
    FAMILIES = "token_families"
    REVOKED = "revoked_tokens"
    CUTS = "revocation_cuts"
    CHANGES = "changes"
    LEASES = "leases"
    USED_VALUES = "used_values"
    RATE_COUNTERS = "rate_counters"
    STATUS_ENTRIES = "status_entries"
    STATUS_LISTS = "status_lists"
    CODES = "authorization_codes"
    DEVICE_CODES = "device_codes"
    PUSHED_REQUESTS = "pushed_requests"
    INITIAL_ACCESS_TOKENS = "initial_access_tokens"
    SESSIONS = "sessions"
    ADDRESS_VERIFICATIONS = "address_verifications"
    RESET_LINKS = "password_reset_tokens"
    REQUEST_TRACES = "request_traces"
    OUTBOX = "outbox"
    DEAD_JOBS = "outbox_dead"


class Eviction(Protocol):
    """Deletes dead rows a few at a time. All times it compares are the database's own.

    Dead is, ``KEPT_AFTER_END`` ago: a family that ended, and one past its lifetime that gave its last access token
    ``KEPT_AFTER_LAST_TOKEN`` ago, each with all of its refresh tokens, spent ones too; a revoked token or a cut that
    expired; a change; a lock that lapsed; a value that could not be used again anyway; a counter that is free again; a
    status list all of whose tokens have expired, with its entries; a code or device code that nobody redeemed; a pushed
    request, which until it expires a sign-in under way may spend; a job that was done, and, ``DEAD_JOBS_KEPT`` ago, one
    that was given up; an initial access token, or a link in a mail, that lapsed; a session that ended, and one that
    lapsed of which no family is left.

    Codes that were redeemed go with the family they opened: until then a second use is recognised, and ends it.
    """

    async def evict(self, table: Evictable, most: int) -> int:
        """Delete at most ``most`` dead rows, and say how many it were; 0: none is left.

        Families go with their refresh tokens, by whichever of the two it is called: at most ``most`` of each. So do
        status lists with their entries.
        """
        ...

    async def backlog(self, table: Evictable, most: int) -> int:
        """How many dead rows there are, counted up to ``most``."""
        ...
