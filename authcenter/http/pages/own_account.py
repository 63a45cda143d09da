"""Whose account a page under ``/account`` is about, and whether they proved lately that it is theirs."""

from dataclasses import dataclass
from datetime import timedelta

from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer

LATELY = timedelta(minutes=5)
"""How long a sign-in counts for what a session left open must not be enough for."""


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """Finds who is signed in, or sends them to sign in and back."""

    sessions: Sessions
    tickets: Tickets
    clock: Clock

    async def open(self, visit: Visit, page: str, *, lately: bool = False) -> SignedIn | Answer:
        """Who is signed in in this browser, or the way to ``/login``, which leads to ``page`` in the end.

        Args:
            page: The path of a page of ours under ``/account``.
            lately: Whether they must have signed in within ``LATELY``.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        signed_in = await self.sessions.current(visit.browser.session_digest)
        since = self.clock.now() - LATELY if lately else None
        if signed_in is not None and (since is None or signed_in.session.auth_time >= since):
            return signed_in
        after = int(since.timestamp()) if since is not None else None
        ticket = Ticket("account", self.tickets.lapse(), page=page, login_after=after)
        return see_other(f"/login?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}")
