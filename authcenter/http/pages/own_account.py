"""Whose account a page under ``/account`` is about, and whether they proved lately that it is theirs."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec import structs

from authcenter.accounts.second_factors import SecondFactors
from authcenter.accounts.sessions import ACR_ONE_FACTOR, Sessions, SignedIn
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.http.pages.arrival import SECOND_FACTOR_PATH
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
    factors: SecondFactors

    async def open(
        self, visit: Visit, page: str, *, lately: bool = False, ticket: Ticket | None = None
    ) -> SignedIn | Answer:
        """Who is signed in in this browser, or the way to ``/login``, which leads to ``page`` in the end.

        Args:
            page: The path of a page of ours under ``/account``.
            lately: Whether they must have signed in within ``LATELY``, by two factors where they have two.
            ticket: Where to go on instead, once they have.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        signed_in = await self.sessions.current(visit.browser.session_digest)
        since = self.clock.now() - LATELY if lately else None
        if signed_in is not None and (since is None or signed_in.session.auth_time >= since):
            if not lately or signed_in.session.acr != ACR_ONE_FACTOR or not await self.factors.due(signed_in.user):
                return signed_in
            # The second factor is younger than this session.
            then = ticket or Ticket("account", self.tickets.lapse(), page=page)
            return see_other(f"{SECOND_FACTOR_PATH}?ticket={self.tickets.seal(then, visit.browser.browser_id)}")
        after = int(since.timestamp()) if since is not None else None
        if ticket is None:
            then = Ticket("account", self.tickets.lapse(), page=page, login_after=after)
        else:
            then = structs.replace(ticket, login_after=max(after or 0, ticket.login_after or 0) or None)
        return see_other(f"/login?ticket={self.tickets.seal(then, visit.browser.browser_id)}")
