"""What operators do, whether over the admin API or at the console, joined once."""

from authcenter.http.policy_changes import PolicyChanges
from authcenter.settings.policy_store import OpenStore
from authcenter.wiring.interactive_parts import InteractiveParts


def policy_changes(parts: InteractiveParts, policy_store: OpenStore | None) -> PolicyChanges:
    """Pushes leave their rows as what is issued does: with the record gone in the spool."""
    core = parts.core
    return PolicyChanges(core.policy, core.stores.clients, core.keys, parts.audit, core.clock, policy_store)
