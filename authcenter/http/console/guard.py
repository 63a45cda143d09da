"""Who may see the console, and who may act in it: the role, two factors, and for acts a sign-in of just now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authcenter.accounts.sessions import ACR_TWO_FACTORS, SignedIn
from authcenter.authorization.ticket import Ticket
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.user import OPERATOR, User
from authcenter.core.value import Value
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import SECOND_FACTOR_PATH
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import PageHandler, Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

SECTIONS: tuple[str, ...] = ("overview", "clients", "users", "keys", "policy", "revocations", "audit", "explain")
"""The pages of the console, in the order in which they are listed."""

_LONGEST_WAY_BACK = 1_000


class Operator(Value, frozen=True):
    """Who asks. ``actor`` and ``origin`` are what the audit log says of what they do."""

    user: User
    origin: RequestOrigin

    @property
    def actor(self) -> str:
        return self.user.subject


ConsoleHandler = Callable[[Visit, Operator], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Console:
    """Mounts pages for operators alone. To everybody else who is signed in, there is no such page.

    Attributes:
        find: A person by subject, from the record itself: acts ask it, whoever lost the role a moment ago must not act.
    """

    pages: Pages
    own: OwnAccount
    find: Callable[[str], Awaitable[User | None]]

    def mount(self, router: Router, path: str, get: ConsoleHandler, post: ConsoleHandler | None = None) -> None:
        """``post``: acts, for which a sign-in of a while ago is not enough."""
        acts = self._guarded(post, acts=True) if post is not None else None
        self.pages.mount(router, path, self._guarded(get, acts=False), acts)

    def mount_question(self, router: Router, path: str, post: ConsoleHandler) -> None:
        """A form that changes nothing, and is only too long for a URL."""
        self.pages.mount(router, path, post=self._guarded(post, acts=False))

    def show(self, visit: Visit, operator: Operator, section: str, template: str, **values: Any) -> Answer:
        """A page of the console; ``section``: which of ``SECTIONS`` it belongs to."""
        return self.pages.show(
            visit, template, operator=operator.user, sections=SECTIONS, section=section, moment=moment, **values
        )

    def _guarded(self, handler: ConsoleHandler, *, acts: bool) -> PageHandler:
        async def guarded(visit: Visit) -> Answer:
            operator = await self._operator(visit, acts=acts)
            if isinstance(operator, Answer):
                return operator
            try:
                return await handler(visit, operator)
            except NotFound as missing:
                return self.pages.error(visit, str(missing), 404)
            except InvalidInput as wrong:
                return self.pages.error(visit, str(wrong), 400)
            except Conflict as taken:
                return self.pages.error(visit, str(taken), 409)

        return guarded

    async def _operator(self, visit: Visit, *, acts: bool) -> Operator | Answer:
        page = _way_back(visit)
        signed_in = await self.own.open(visit, page)
        if isinstance(signed_in, Answer):
            return signed_in
        user = await self._with_role(signed_in, acts=acts)
        if user is None:
            visit.request[NOTES].verdict = (Rule.CONSOLE_NOT_OPERATOR, signed_in.user.subject)
            return self.pages.error(visit, visit.messages("error.not_found"), 404)
        if signed_in.session.acr != ACR_TWO_FACTORS:
            # Who has no second factor is led on from there to add one.
            ticket = Ticket("account", self.own.tickets.lapse(), page=page)
            sealed = self.own.tickets.seal(ticket, visit.browser.browser_id)
            return see_other(f"{SECOND_FACTOR_PATH}?ticket={sealed}")
        if acts:
            lately = await self.own.open(visit, page, lately=True)
            if isinstance(lately, Answer):
                return lately
        return Operator(user, visit.origin)

    async def _with_role(self, signed_in: SignedIn, *, acts: bool) -> User | None:
        # Looking may go by what this process remembers: the overview is wanted most while the database is gone.
        user = await self.find(signed_in.user.subject) if acts else signed_in.user
        return user if user is not None and user.disabled_at is None and OPERATOR in user.roles else None


def moment(instant: datetime) -> str:
    """An instant as pages write it: UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _way_back(visit: Visit) -> str:
    whole = str(visit.request.rel_url)
    return whole if len(whole) <= _LONGEST_WAY_BACK else visit.request.rel_url.raw_path
