"""Clients that anybody could register and that nobody has ever come to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

TRACED_GRANTS = frozenset({"authorization_code", "refresh_token"})
"""Grants that leave a trace: a person's consent, and where there is one, a family of refresh tokens."""


class UnusedClients(Protocol):
    """Finds clients that were registered by nobody in particular and are of no use to anybody.

    One is unused where no person's consent and no family is left of it. One that an operator made, vouched for by an
    initial access token, disabled or made first-party is none of these; nor is one that may use a grant beyond
    ``TRACED_GRANTS``, of which nothing would tell.
    """

    async def list_unused(self, before: datetime, most: int) -> Sequence[str]:
        """The ids of at most ``most`` that were last written before that, the oldest first."""
        ...
