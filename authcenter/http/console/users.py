"""``/console/users``: people; one of them, disabled, enabled, made to set a new password, logged out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.accounts.oversight import Oversight
from authcenter.core.clock import Clock
from authcenter.core.errors import NotFound
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.session_cards import session_cards
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/console/users"
_MOST = 50


@dataclass(frozen=True, slots=True)
class UsersPage:
    """Finds people by how name, address or subject begin; shows one, and acts on them.

    Attributes:
        settle: Lets this process know at once what was done to a user; others learn it within the bound of revocations.
    """

    console: Console
    oversight: Oversight
    settle: Callable[[str], Awaitable[None]]
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        if subject := asked(visit.query, "sub"):
            return await self._one(visit, operator, subject)
        sought, searched = asked(visit.query, "q"), visit.query.values.get("q") is not None
        found = await self.oversight.search(sought, after="", most=_MOST + 1) if searched else ()
        return self.console.show(
            visit,
            operator,
            "users",
            "console_users.html",
            sought=sought,
            searched=searched,
            found=found[:_MOST],
            more=len(found) > _MOST,
        )

    async def post(self, visit: Visit, operator: Operator) -> Answer:
        subject, accounts = _subject(asked(visit.form, "sub")), self.oversight.accounts
        actor, origin = operator.actor, operator.origin
        match visit.form.get("act"):
            case "disable":
                await accounts.disable(subject, actor=actor, origin=origin)
            case "enable":
                await accounts.enable(subject, actor=actor, origin=origin)
            case "require_reset":
                await accounts.require_reset(subject, actor=actor, origin=origin)
            case "logout":
                await accounts.logout(subject, actor=actor, origin=origin)
        await self.settle(subject)
        return see_other(f"{PATH}?sub={subject}")

    async def _one(self, visit: Visit, operator: Operator, subject: str) -> Answer:
        user = await self.oversight.accounts.get(_subject(subject))
        opened = await self.oversight.sessions_of(user.subject)
        return self.console.show(
            visit,
            operator,
            "users",
            "console_user.html",
            user=user,
            cards=session_cards([one.session for one in opened], visit.messages, self.clock.now()),
            clients=[sorted(one.clients) for one in opened],
            identities=await self.oversight.identities_of(user.subject),
            standing=await self.oversight.second_factors.standing(user),
        )


def _subject(typed: str) -> str:
    """By subject alone: names and addresses change hands. Raises ``NotFound``."""
    if not typed.startswith(SUBJECT_PREFIX):
        raise NotFound(f"{typed!a:.80} is no user's subject")
    return typed
