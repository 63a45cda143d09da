"""What operators do, whether over the admin API, at the console or at the command line, joined once."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from authcenter.accounts.oversight import Oversight
from authcenter.accounts.sessions import Sessions
from authcenter.core.errors import Unavailable
from authcenter.http.policy_changes import PolicyChanges
from authcenter.keys.oversight import KeyOversight
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.settings.policy_store import OpenStore
from authcenter.tokens.cut_targets import TargetedRevocation
from authcenter.wiring.core import Core
from authcenter.wiring.interactive_parts import InteractiveParts


@dataclass(frozen=True)
class OperatorParts:
    """What the admin API and the console of a running service share: each part made once."""

    interactive: InteractiveParts
    policy_store: OpenStore | None

    @property
    def core(self) -> Core:
        return self.interactive.core

    @cached_property
    def oversight(self) -> Oversight:
        return build_oversight(self.core, self.interactive.sessions)

    @cached_property
    def keys(self) -> KeyOversight:
        return build_key_oversight(self.core)

    @cached_property
    def targeted(self) -> TargetedRevocation:
        core = self.core
        return TargetedRevocation(core.revocations, core.lifetimes, core.stores.trail, core.clock)

    @cached_property
    def policy_changes(self) -> PolicyChanges:
        """Pushes leave their rows as what is issued does: with the record gone in the spool."""
        core, audit = self.core, self.interactive.audit
        return PolicyChanges(core.policy, core.stores.clients, core.keys, audit, core.clock, self.policy_store)

    async def settle(self) -> None:
        """Let this process know at once what was revoked."""
        # It is done; where this process cannot read it back now, it learns it as the others do.
        with suppress(Unavailable):
            await self.core.revocations.poll(self.core.policy.current.revocation.short_hash_bytes)

    async def settle_user(self, subject: str) -> None:
        """The same for what was done to a user."""
        self.interactive.forget_user(subject)
        await self.settle()

    async def settle_client(self, client_id: str) -> None:
        """The same for what was done to a client."""
        self.interactive.forget_client(client_id)
        await self.settle()


def build_key_oversight(core: Core) -> KeyOversight:
    return KeyOversight(core.rotation, core.brake, core.policy, core.clock)


def build_oversight(core: Core, sessions: Sessions | None = None) -> Oversight:
    """``sessions``: those of a running service; None: there is only the record."""
    return Oversight(
        accounts=core.accounts,
        sessions=sessions or _sessions_of_record(core),
        identities=core.stores.identities,
        second_factors=core.second_factors,
        letters=core.letters,
    )


def _sessions_of_record(core: Core) -> Sessions:
    return Sessions(
        store=core.stores.sessions,
        lookup=core.stores.sessions,
        users=core.stores.users,
        policy=lambda: core.policy.current.sessions,
        replica=lambda: core.revocations.replica,
        clock=core.clock,
        longest_token=LONGEST_TOKEN + core.lifetimes.leeway,
    )
