"""What operators do over HTTP, joined; and what the command line shares with it."""

from collections.abc import Sequence
from contextlib import suppress

from authcenter.accounts.oversight import Oversight
from authcenter.accounts.sessions import Sessions
from authcenter.core.errors import Unavailable
from authcenter.http.admin.audit import AuditEndpoints
from authcenter.http.admin.clients import ClientsEndpoints
from authcenter.http.admin.explain import ExplainEndpoints
from authcenter.http.admin.frame import AdminFrame
from authcenter.http.admin.keys import KeysEndpoints
from authcenter.http.admin.policy import PolicyEndpoints
from authcenter.http.admin.tokens import TokensEndpoints
from authcenter.http.admin.users import UsersEndpoints
from authcenter.keys.oversight import KeyOversight
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.settings.policy_store import OpenStore
from authcenter.tokens.admin_callers import AdminCallers
from authcenter.tokens.cut_targets import TargetedRevocation
from authcenter.tokens.issued_tokens import IssuedTokens
from authcenter.wiring.core import Core
from authcenter.wiring.interactive_parts import Endpoint, InteractiveParts
from authcenter.wiring.operators import policy_changes


def admin_endpoints(parts: InteractiveParts, policy_store: OpenStore | None = None) -> Sequence[Endpoint]:
    """Every endpoint of the admin API."""
    core, stores, clock = parts.core, parts.core.stores, parts.core.clock
    callers = AdminCallers(core.verifier, core.families, stores.users, stores.clients, parts.settings.issuer)
    frame = AdminFrame(callers, parts.metrics)

    async def settle() -> None:
        # It is done; where this process cannot read it back now, it learns it as the others do.
        with suppress(Unavailable):
            await core.revocations.poll(core.policy.current.revocation.short_hash_bytes)

    async def settle_user(subject: str) -> None:
        parts.forget_user(subject)
        await settle()

    async def settle_client(client_id: str) -> None:
        parts.forget_client(client_id)
        await settle()

    targeted = TargetedRevocation(core.revocations, core.lifetimes, stores.trail, clock)
    issued = IssuedTokens(stores.trail, core.revocations)
    return (
        UsersEndpoints(frame, build_oversight(core, parts.sessions), settle_user),
        ClientsEndpoints(frame, core.clients, settle_client),
        KeysEndpoints(frame, build_key_oversight(core), settle),
        PolicyEndpoints(frame, policy_changes(parts, policy_store)),
        TokensEndpoints(frame, targeted, issued, core.rotation, core.accounts, core.clients, settle, clock),
        AuditEndpoints(frame, stores.trail, core.checkpoint_keys, clock),
        ExplainEndpoints(frame, stores.traces, stores.trail, clock),
    )


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
