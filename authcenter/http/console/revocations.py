"""``/console/revocations``: what a revocation would hit, and then the revocation, confirmed by typing what it is of."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from authcenter.accounts.users import Accounts
from authcenter.clients.registry import ClientRegistry
from authcenter.core.clock import Clock
from authcenter.core.cut import CutKind
from authcenter.core.errors import InvalidInput, NotFound
from authcenter.core.form import Form
from authcenter.core.instants import instant
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked, instant_asked
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.keys.rotation import KeyRotation
from authcenter.tokens.cut_targets import NARROWED, Target, TargetedRevocation

PATH = "/console/revocations"
KINDS = {
    "client": CutKind.CLIENT,
    "user": CutKind.SUBJECT,
    "family": CutKind.FAMILY,
    "key": CutKind.KEY,
    "everything": CutKind.EVERYTHING,
}
"""What can be revoked here, as forms name it."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an operator wants to revoke.

    Attributes:
        by: One of ``KINDS``.
        of: As it was typed; ``confirmed_by``: what has to be typed again.
    """

    by: str
    of: str
    target: Target
    confirmed_by: str

    @property
    def query(self) -> str:
        before = instant(self.target.issued_before) if self.target.issued_before else ""
        return urlencode({"by": self.by, "of": self.of, "before": before})


@dataclass(frozen=True, slots=True)
class RevocationsPage:
    """Counts first, then revokes.

    Attributes:
        settle: Lets this process know at once what was revoked; others learn it within the bound of revocations.
    """

    console: Console
    targeted: TargetedRevocation
    rotation: KeyRotation
    accounts: Accounts
    clients: ClientRegistry
    settle: Callable[[], Awaitable[None]]
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        if visit.query.get("by") is None:
            return self._show(visit, operator)
        try:
            named = await self._named(visit.query)
        except (NotFound, InvalidInput) as problem:
            return self._show(visit, operator, problem=str(problem), status=400)
        done = visit.query.get("done") is not None
        return await self._counted(visit, operator, named, done=done)

    async def post(self, visit: Visit, operator: Operator) -> Answer:
        named, reason = await self._named(visit.form), asked(visit.form, "reason")
        if asked(visit.form, "confirm") != named.confirmed_by or not reason:
            problem = visit.messages("console.confirm_wrong")
            return await self._counted(visit, operator, named, problem=problem, reason=reason, status=400)
        if named.target.kind is CutKind.KEY:
            await self.rotation.revoke(named.target.value, reason, operator.actor, origin=operator.origin)
        else:
            await self.targeted.revoke(named.target, reason, operator.actor, operator.origin)
        await self.settle()
        return see_other(f"{PATH}?{named.query}&done=1")

    async def _counted(
        self,
        visit: Visit,
        operator: Operator,
        named: Named,
        *,
        problem: str = "",
        reason: str = "",
        status: int = 200,
        done: bool = False,
    ) -> Answer:
        reach = await self.targeted.reach(named.target)
        return self._show(
            visit, operator, named=named, reach=reach, problem=problem, reason=reason, status=status, done=done
        )

    def _show(self, visit: Visit, operator: Operator, *, status: int = 200, **about: object) -> Answer:
        values = {"named": None, "reach": None, "problem": "", "reason": "", "done": False, **about}
        chosen = {name: asked(visit.query, name) for name in ("by", "of", "before")}
        return self.console.show(
            visit,
            operator,
            "revocations",
            "console_revocations.html",
            status=status,
            kinds=tuple(KINDS),
            chosen=chosen,
            **values,
        )

    async def _named(self, form: Form) -> Named:
        """Raises ``NotFound``, ``InvalidInput``."""
        by, of, before = asked(form, "by"), asked(form, "of"), instant_asked(form, "before", self.clock.now())
        kind = KINDS.get(by)
        if kind is None:
            raise InvalidInput(f"by: one of {', '.join(KINDS)}")
        if kind is CutKind.EVERYTHING:
            return _everything(before, self.clock.now())
        if not of:
            raise InvalidInput("of: what is to be revoked must be named")
        if before is not None and (kind not in NARROWED or before > self.clock.now()):
            raise InvalidInput("before: it narrows clients and users only, and is not in the future")
        value = of
        match kind:
            case CutKind.SUBJECT:
                value = (await self.accounts.get(of)).subject
            case CutKind.CLIENT:
                await self.clients.get(of)
            case CutKind.KEY:
                await self.rotation.require_known(of)
        return Named(by, of, Target(kind, value, before), of)


def _everything(before: datetime | None, now: datetime) -> Named:
    if before is None or before > now:
        raise InvalidInput("before: an instant that is not in the future, to revoke everything issued until then")
    # To the second, as it is typed and as tokens count.
    until = before.replace(microsecond=0)
    return Named("everything", "", Target(CutKind.EVERYTHING, "", until), instant(until))
