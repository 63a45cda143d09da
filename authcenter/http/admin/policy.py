"""``/admin/v1/policy``: the policy in force; what another document would change and do; and the push of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from authcenter.core.errors import InvalidInput
from authcenter.core.members import Members
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.policy_changes import PolicyChanges
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.settings.errors import PolicyError
from authcenter.settings.pushing import Proposal


@dataclass(frozen=True, slots=True)
class PolicyEndpoints:
    """Shows, checks, pushes."""

    frame: AdminFrame
    changes: PolicyChanges

    def mount(self, router: Router) -> None:
        self.frame.mount(router, "GET", "/policy", self.show)
        self.frame.mount(router, "POST", "/policy/check", self.check)
        self.frame.mount(router, "POST", "/policy/push", self.push)

    async def show(self, _: Asked) -> Answer:
        policy = self.changes.policy
        told = {"version": policy.current.version, "generation": policy.generation}
        return no_store(encode({**told, "policy": policy.current.model_dump(mode="json")}))

    async def check(self, asked: Asked) -> Answer:
        """Whether ``document`` (text, YAML or JSON, or the object itself) holds, what it changes, and does."""
        members = Members(await asked.document())
        members.require_known(["document"])
        try:
            proposal = await self.changes.proposal(_text_of(members))
        except PolicyError as wrong:
            raise _refused(wrong) from wrong
        return no_store(encode(_told(proposal, await self.changes.impact(proposal))))

    async def push(self, asked: Asked) -> Answer:
        """``replaces``: the version that it was checked against; refused where that is in force no more."""
        members, by = Members(await asked.document()), asked.by
        members.require_known(["document", "replaces"])
        over = members.text("replaces") or None
        try:
            proposal, consequences = await self.changes.push(_text_of(members), by, cause="api", over=over)
        except PolicyError as wrong:
            raise _refused(wrong) from wrong
        return no_store(encode({**_told(proposal, consequences), "pushed": not proposal.changes_nothing}))


def _told(proposal: Proposal, consequences: Sequence[str]) -> dict[str, Any]:
    return {
        "version": proposal.after.version,
        "replaces": proposal.replaced or None,
        "changes": not proposal.changes_nothing,
        "difference": proposal.difference,
        "impact": list(consequences),
    }


def _text_of(members: Members) -> str:
    document = members.given.get("document")
    if isinstance(document, dict):
        return json.dumps(document)
    if not isinstance(document, str):
        raise InvalidInput("document: must be the policy, as a text or as an object")
    return document


def _refused(wrong: PolicyError) -> InvalidInput:
    return InvalidInput("; ".join(wrong.problems))
