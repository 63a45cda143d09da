"""``/console/policy``: the policy in force; what another document would change and do; and the push of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, InvalidInput, Unavailable
from authcenter.core.event import Event, EventKind
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.errors import PolicyError
from authcenter.settings.impact import impact
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.settings.policy_store import OpenStore, PolicyStore
from authcenter.settings.pushing import Proposal, policy_lines, propose, push
from authcenter.stores.ports.audit import AuditLog
from authcenter.stores.ports.clients import ClientStore

PATH = "/console/policy"
COMPARE_PATH = f"{PATH}/compare"


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """Shows, compares, pushes.

    Attributes:
        open_store: None: there is no place to push to. A policy file is this machine's alone, others have theirs.
    """

    console: Console
    policy: LivePolicy
    clients: ClientStore
    keys: LiveKeyRing
    audit: AuditLog
    clock: Clock
    open_store: OpenStore | None

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get, self.push)
        self.console.mount_question(router, COMPARE_PATH, self.compare)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        return self._show(visit, operator)

    async def compare(self, visit: Visit, operator: Operator) -> Answer:
        text = _document(visit)
        try:
            proposal = await self._proposal(text)
        except PolicyError as wrong:
            return self._show(visit, operator, status=400, text=text, problems=wrong.problems)
        return self._show(visit, operator, text=text, proposal=proposal, impact=await self._impact(proposal))

    async def push(self, visit: Visit, operator: Operator) -> Answer:
        """The document that was compared, in the place of the one it was compared with."""
        if self.open_store is None:
            raise InvalidInput("there is no place to push to")
        if asked(visit.form, "confirm") != "push":
            raise InvalidInput("confirm: type push")
        try:
            async with self.open_store() as store:
                proposal = await propose(store, _document(visit))
                if _version(proposal) != (visit.form.get("over") or ""):
                    raise Conflict("the policy has been changed by somebody else meanwhile: compare again")
                await self._push(store, proposal, operator)
        except PolicyError as wrong:
            raise InvalidInput("; ".join(wrong.problems)) from wrong
        return see_other(f"{PATH}?pushed={proposal.after.version}")

    async def _push(self, store: PolicyStore, proposal: Proposal, operator: Operator) -> None:
        context = {
            "version": proposal.after.version,
            "replaced": _version(proposal),
            "source": store.name,
            "cause": "console",
        }
        try:
            await push(store, proposal, actor=operator.actor, at=self.clock.now())
        except Unavailable:
            # It may be in force all the same: better a row too many than a policy that nobody has pushed.
            await self.audit.append(_pushed(operator, context | {"outcome": "unknown"}))
            raise
        await self.audit.append(_pushed(operator, context))

    async def _proposal(self, text: str) -> Proposal:
        if self.open_store is not None:
            async with self.open_store() as store:
                return await propose(store, text)
        return Proposal(text, parse_policy(text, source="pasted"), self.policy.current, None)

    async def _impact(self, proposal: Proposal) -> Sequence[str]:
        before = proposal.before or self.policy.current
        clients = await self.clients.list_clients()
        return impact(before, proposal.after, clients, set(self.keys.ring.signing))

    def _show(self, visit: Visit, operator: Operator, **about: Any) -> Answer:
        values = {"text": "", "proposal": None, "impact": (), "problems": (), **about}
        current = self.policy.current
        return self.console.show(
            visit,
            operator,
            "policy",
            "console_policy.html",
            version=current.version,
            lines="\n".join(policy_lines(current)),
            pushable=self.open_store is not None,
            pushed=asked(visit.query, "pushed"),
            **values,
        )


def _document(visit: Visit) -> str:
    """Raises ``InvalidInput``: it is empty, and nobody means the defaults by that here."""
    # Browsers send a text area's lines ended by CR LF.
    text = (visit.form.get("document") or "").replace("\r\n", "\n")
    if not text.strip():
        raise InvalidInput("document: it is empty")
    return text


def _version(proposal: Proposal) -> str:
    """Of what is held and would be replaced."""
    return proposal.before.version if proposal.before is not None else ""


def _pushed(operator: Operator, context: dict[str, str]) -> Event:
    return Event(EventKind.POLICY_PUSHED, operator.actor, origin=operator.origin, context=context)
