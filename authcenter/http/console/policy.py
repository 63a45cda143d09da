"""``/console/policy``: the policy in force; what another document would change and do; and the push of it."""

from dataclasses import dataclass
from typing import Any

from authcenter.accounts.oversight import By
from authcenter.core.errors import InvalidInput
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.policy_changes import PolicyChanges
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.settings.errors import PolicyError
from authcenter.settings.pushing import policy_lines

PATH = "/console/policy"
COMPARE_PATH = f"{PATH}/compare"


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """Shows, compares, pushes."""

    console: Console
    changes: PolicyChanges

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get, self.push)
        self.console.mount_question(router, COMPARE_PATH, self.compare)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        return self._show(visit, operator)

    async def compare(self, visit: Visit, operator: Operator) -> Answer:
        text = _document(visit)
        try:
            proposal = await self.changes.proposal(text)
        except PolicyError as wrong:
            return self._show(visit, operator, status=400, text=text, problems=wrong.problems)
        consequences = await self.changes.impact(proposal)
        return self._show(visit, operator, text=text, proposal=proposal, impact=consequences)

    async def push(self, visit: Visit, operator: Operator) -> Answer:
        """The document that was compared, in the place of the one it was compared with."""
        if asked(visit.form, "confirm") != "push":
            raise InvalidInput("confirm: type push")
        by, over = By(operator.actor, operator.origin), visit.form.get("over") or ""
        try:
            proposal, _ = await self.changes.push(_document(visit), by, cause="console", over=over)
        except PolicyError as wrong:
            raise InvalidInput("; ".join(wrong.problems)) from wrong
        return see_other(f"{PATH}?pushed={proposal.after.version}")

    def _show(self, visit: Visit, operator: Operator, **about: Any) -> Answer:
        values = {"text": "", "proposal": None, "impact": (), "problems": (), **about}
        current = self.changes.policy.current
        return self.console.show(
            visit,
            operator,
            "policy",
            "console_policy.html",
            version=current.version,
            lines="\n".join(policy_lines(current)),
            pushable=self.changes.open_store is not None,
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
