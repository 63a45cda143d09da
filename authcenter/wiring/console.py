"""The operators' console, joined."""

from collections.abc import Sequence

from authcenter.http.console.explain import ExplainPage
from authcenter.http.console.guard import Console
from authcenter.http.console.overview import OverviewPage
from authcenter.telemetry.health import Health
from authcenter.wiring.interactive import Endpoint, InteractiveParts


def console_endpoints(parts: InteractiveParts, health: Health) -> Sequence[Endpoint]:
    """Every page under ``/console``."""
    core, stores = parts.core, parts.core.stores
    console = Console(parts.pages, parts.own_account, core.accounts.find)
    return (
        OverviewPage(
            console,
            health,
            core.policy,
            core.keys,
            stores.trail,
            lambda: parts.audit.depth,
            lambda: core.revocations.age,
            core.clock,
        ),
        ExplainPage(console, stores.traces, stores.trail, core.clock),
    )
