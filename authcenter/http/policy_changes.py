"""What operators do to the policy, whether they come by the admin API or by the console."""

from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.accounts.oversight import By
from authcenter.audit.grouped import GroupedAudit
from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict
from authcenter.core.event import Event
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.impact import impact
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.settings.policy_store import OpenStore
from authcenter.settings.pushing import Proposal, propose, push_and_record
from authcenter.stores.ports.clients import ClientStore


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """Compares, says what would come of it, pushes.

    Attributes:
        audit: Takes the row of a push without the database, too: the policy is in force by then.
        open_store: None: there is no place to push to. A policy file is this machine's alone, others have theirs.
    """

    policy: LivePolicy
    clients: ClientStore
    keys: LiveKeyRing
    audit: GroupedAudit
    clock: Clock
    open_store: OpenStore | None

    async def proposal(self, text: str) -> Proposal:
        """Compared with what would be replaced; where nothing can be, with what is in force here.

        Raises:
            PolicyError: It does not validate.
            Unavailable: Cannot tell.
        """
        if self.open_store is None:
            return Proposal(text, parse_policy(text, source="pasted"), self.policy.current, None)
        async with self.open_store() as store:
            return await propose(store, text)

    async def impact(self, proposal: Proposal) -> Sequence[str]:
        """What would come of it, in sentences. Raises ``Unavailable``."""
        before = proposal.before or self.policy.current
        clients = await self.clients.list_clients()
        return impact(before, proposal.after, clients, set(self.keys.ring.signing))

    async def push(self, text: str, by: By, *, cause: str, over: str | None) -> tuple[Proposal, Sequence[str]]:
        """Put ``text`` in force, where that changes anything.

        Args:
            over: The version that is to be replaced, empty where there was none; None: whichever it is.

        Returns:
            What was proposed, and what comes of it.

        Raises:
            Conflict: There is no place to push to, or another version is held meanwhile.
            PolicyError: It does not validate.
            Unavailable: Nothing was pushed, or the store's answer is missing: look.
        """
        if self.open_store is None:
            raise Conflict("the policy is a file of each machine: change it there, or keep the policy in Consul")
        async with self.open_store() as store:
            proposal = await propose(store, text)
            if over is not None and over != proposal.replaced:
                raise Conflict(f"the policy in force is {proposal.replaced or 'unknown'}: check again")
            # Before the push: what fails from then on would deny what is done.
            consequences = await self.impact(proposal)
            self.audit.require_room()
            if not proposal.changes_nothing:
                now = self.clock.now()
                await push_and_record(
                    store, proposal, actor=by.actor, origin=by.origin, cause=cause, at=now, record=self._record
                )
        return proposal, consequences

    async def _record(self, event: Event) -> None:
        self.audit.record(lambda: event, self.clock.now())
