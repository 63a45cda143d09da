"""What operators do over HTTP, joined."""

from collections.abc import Sequence

from authcenter.http.admin.audit import AuditEndpoints
from authcenter.http.admin.clients import ClientsEndpoints
from authcenter.http.admin.explain import ExplainEndpoints
from authcenter.http.admin.frame import AdminFrame
from authcenter.http.admin.keys import KeysEndpoints
from authcenter.http.admin.policy import PolicyEndpoints
from authcenter.http.admin.tokens import TokensEndpoints
from authcenter.http.admin.users import UsersEndpoints
from authcenter.tokens.admin_callers import AdminCallers
from authcenter.tokens.issued_tokens import IssuedTokens
from authcenter.wiring.interactive_parts import Endpoint
from authcenter.wiring.operators import OperatorParts


def admin_endpoints(parts: OperatorParts) -> Sequence[Endpoint]:
    """Every endpoint of the admin API."""
    core, stores, clock = parts.core, parts.core.stores, parts.core.clock
    issuer = parts.interactive.settings.issuer
    callers = AdminCallers(core.verifier, core.families, stores.users, stores.clients, issuer)
    frame = AdminFrame(callers, parts.interactive.metrics)
    issued = IssuedTokens(stores.trail, core.revocations)
    return (
        UsersEndpoints(frame, parts.oversight, parts.settle_user),
        ClientsEndpoints(frame, core.clients, parts.settle_client),
        KeysEndpoints(frame, parts.keys, parts.settle),
        PolicyEndpoints(frame, parts.policy_changes),
        TokensEndpoints(frame, parts.targeted, issued, core.rotation, core.accounts, core.clients, parts.settle, clock),
        AuditEndpoints(frame, stores.trail, core.checkpoint_keys, clock),
        ExplainEndpoints(frame, stores.traces, stores.trail, clock),
    )
