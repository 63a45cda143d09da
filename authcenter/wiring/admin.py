"""What operators do over HTTP, joined; and what the command line shares with it."""

from collections.abc import Sequence
from contextlib import suppress

from authcenter.accounts.oversight import Oversight
from authcenter.accounts.sessions import Sessions
from authcenter.core.errors import Unavailable
from authcenter.http.admin.frame import AdminFrame
from authcenter.http.admin.users import UsersEndpoints
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.tokens.admin_callers import AdminCallers
from authcenter.wiring.core import Core
from authcenter.wiring.interactive import Endpoint, InteractiveParts


def admin_endpoints(parts: InteractiveParts) -> Sequence[Endpoint]:
    """Every endpoint of the admin API."""
    core = parts.core
    callers = AdminCallers(core.verifier, core.families, core.stores.users, core.stores.clients, parts.settings.issuer)
    frame = AdminFrame(callers, parts.metrics)

    async def settle(subject: str) -> None:
        parts.forget_user(subject)
        # It is done; where this process cannot read it back now, it learns it as the others do.
        with suppress(Unavailable):
            await core.revocations.poll(core.policy.current.revocation.short_hash_bytes)

    return (UsersEndpoints(frame, build_oversight(core, parts.sessions), settle),)


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
