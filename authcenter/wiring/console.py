"""The operators' console, joined."""

from collections.abc import Sequence

from authcenter.http.console.audit import AuditPage
from authcenter.http.console.clients import ClientsPage
from authcenter.http.console.explain import ExplainPage
from authcenter.http.console.guard import Console
from authcenter.http.console.keys import KeysPage
from authcenter.http.console.overview import OverviewPage
from authcenter.http.console.policy import PolicyPage
from authcenter.http.console.revocations import RevocationsPage
from authcenter.http.console.users import UsersPage
from authcenter.telemetry.health import Health
from authcenter.wiring.interactive_parts import Endpoint
from authcenter.wiring.operators import OperatorParts


def console_endpoints(parts: OperatorParts, health: Health) -> Sequence[Endpoint]:
    """Every page under ``/console``."""
    core, stores, clock = parts.core, parts.core.stores, parts.core.clock
    console = Console(parts.interactive.pages, parts.interactive.own_account, core.accounts.find)
    return (
        OverviewPage(
            console,
            health,
            core.policy,
            core.keys,
            stores.trail,
            lambda: parts.interactive.audit.depth,
            lambda: core.revocations.age,
            clock,
        ),
        ClientsPage(console, core.clients, parts.settle_client),
        UsersPage(console, parts.oversight, parts.settle_user, clock),
        KeysPage(console, parts.keys, clock),
        PolicyPage(console, parts.policy_changes),
        RevocationsPage(console, parts.targeted, core.rotation, core.accounts, core.clients, parts.settle, clock),
        AuditPage(console, stores.trail, clock),
        ExplainPage(console, stores.traces, stores.trail, clock),
    )
