"""The operators' console, joined."""

from collections.abc import Sequence
from contextlib import suppress

from authcenter.core.errors import Unavailable
from authcenter.http.console.audit import AuditPage
from authcenter.http.console.clients import ClientsPage
from authcenter.http.console.explain import ExplainPage
from authcenter.http.console.guard import Console
from authcenter.http.console.keys import KeysPage
from authcenter.http.console.overview import OverviewPage
from authcenter.http.console.policy import PolicyPage
from authcenter.http.console.revocations import RevocationsPage
from authcenter.http.console.users import UsersPage
from authcenter.settings.policy_store import OpenStore
from authcenter.telemetry.health import Health
from authcenter.tokens.cut_targets import TargetedRevocation
from authcenter.wiring.admin import build_oversight
from authcenter.wiring.interactive_parts import Endpoint, InteractiveParts
from authcenter.wiring.operators import policy_changes


def console_endpoints(parts: InteractiveParts, health: Health, policy_store: OpenStore | None) -> Sequence[Endpoint]:
    """Every page under ``/console``."""
    core, stores, clock = parts.core, parts.core.stores, parts.core.clock
    console = Console(parts.pages, parts.own_account, core.accounts.find)

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
    return (
        OverviewPage(
            console,
            health,
            core.policy,
            core.keys,
            stores.trail,
            lambda: parts.audit.depth,
            lambda: core.revocations.age,
            clock,
        ),
        ClientsPage(console, core.clients, settle_client),
        UsersPage(console, build_oversight(core, parts.sessions), settle_user, clock),
        KeysPage(console, core.keys, core.brake, core.policy, clock),
        PolicyPage(console, policy_changes(parts, policy_store)),
        RevocationsPage(console, targeted, core.rotation, core.accounts, core.clients, settle, clock),
        AuditPage(console, stores.trail, clock),
        ExplainPage(console, stores.traces, stores.trail, clock),
    )
