"""``/admin/v1/policy``: the policy in force; what another document would change and do; and the push of it."""

import json
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.oversight import By
from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, InvalidInput, Unavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.members import Members
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.errors import PolicyError
from authcenter.settings.impact import impact
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.settings.policy_store import OpenStore, PolicyStore
from authcenter.settings.pushing import Proposal, propose, push
from authcenter.stores.ports.audit import AuditLog
from authcenter.stores.ports.clients import ClientStore


@dataclass(frozen=True, slots=True)
class PolicyEndpoints:
    """Shows, checks, pushes.

    Attributes:
        open_store: None: there is no place to push to. A policy file is this machine's alone, others have theirs.
    """

    frame: AdminFrame
    policy: LivePolicy
    clients: ClientStore
    keys: LiveKeyRing
    audit: AuditLog
    clock: Clock
    open_store: OpenStore | None

    def mount(self, router: Router) -> None:
        self.frame.mount(router, "GET", "/policy", self.show)
        self.frame.mount(router, "POST", "/policy/check", self.check)
        self.frame.mount(router, "POST", "/policy/push", self.push)

    async def show(self, _: Asked) -> Answer:
        current = self.policy.current
        told = {"version": current.version, "generation": self.policy.generation}
        return no_store(encode({**told, "policy": current.model_dump(mode="json")}))

    async def check(self, asked: Asked) -> Answer:
        """Whether ``document`` (text, YAML or JSON, or the object itself) holds, what it changes, and does."""
        members = Members(await asked.document())
        members.require_known(["document"])
        return no_store(encode(await self._told(await self._proposal(_text_of(members)))))

    async def push(self, asked: Asked) -> Answer:
        """``replaces``: the version that it was checked against; refused where that is in force no more."""
        members, by = Members(await asked.document()), asked.by
        members.require_known(["document", "replaces"])
        if self.open_store is None:
            raise Conflict("the policy is a file of each machine: change it there, or keep the policy in Consul")
        async with self.open_store() as store:
            proposal = await _proposed(store, _text_of(members))
            expected = members.text("replaces")
            if expected and expected != _replaced(proposal):
                raise Conflict(f"the policy in force is {_replaced(proposal) or 'unknown'}: check again")
            if not proposal.changes_nothing:
                await self._push(store, proposal, by)
        return no_store(encode({**await self._told(proposal), "pushed": not proposal.changes_nothing}))

    async def _push(self, store: PolicyStore, proposal: Proposal, by: By) -> None:
        context = {"version": proposal.after.version, "replaced": _replaced(proposal), "source": store.name}
        try:
            await push(store, proposal, actor=by.actor, at=self.clock.now())
        except Unavailable:
            # It may be in force all the same: better a row too many than a policy that nobody has pushed.
            await self.audit.append(_pushed(by, context | {"outcome": "unknown"}))
            raise
        await self.audit.append(_pushed(by, context))

    async def _proposal(self, text: str) -> Proposal:
        """Compared with what would be replaced; where nothing can be, with what is in force here."""
        if self.open_store is not None:
            async with self.open_store() as store:
                return await _proposed(store, text)
        try:
            return Proposal(text, parse_policy(text, source="api"), self.policy.current, None)
        except PolicyError as wrong:
            raise _refused(wrong) from wrong

    async def _told(self, proposal: Proposal) -> dict[str, Any]:
        before = proposal.before or self.policy.current
        consequences = impact(before, proposal.after, await self.clients.list_clients(), set(self.keys.ring.signing))
        return {
            "version": proposal.after.version,
            "replaces": _replaced(proposal) or None,
            "changes": not proposal.changes_nothing,
            "difference": proposal.difference,
            "impact": list(consequences),
        }


async def _proposed(store: PolicyStore, text: str) -> Proposal:
    try:
        return await propose(store, text)
    except PolicyError as wrong:
        raise _refused(wrong) from wrong


def _text_of(members: Members) -> str:
    document = members.given.get("document")
    if isinstance(document, dict):
        return json.dumps(document)
    if not isinstance(document, str):
        raise InvalidInput("document: must be the policy, as a text or as an object")
    return document


def _replaced(proposal: Proposal) -> str:
    """The version that is held; empty: none, or it does not validate."""
    return proposal.before.version if proposal.before is not None else ""


def _refused(wrong: PolicyError) -> InvalidInput:
    return InvalidInput("; ".join(wrong.problems))


def _pushed(by: By, context: dict[str, str]) -> Event:
    return Event(EventKind.POLICY_PUSHED, by.actor, origin=by.origin, context=context)
