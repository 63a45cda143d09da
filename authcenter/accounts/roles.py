"""Which roles a user has: what resources and the admin API ask of people."""

from collections.abc import Iterable
from dataclasses import replace

from authcenter.accounts.account import check_roles
from authcenter.accounts.changes import Change
from authcenter.accounts.users import Accounts
from authcenter.core.event import EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User


async def set_roles(
    accounts: Accounts, name: str, roles: Iterable[str], *, actor: str, origin: RequestOrigin | None = None
) -> User:
    """Give a user just these roles. Tokens say which their user had: where one is taken away, all before are refused.

    Raises:
        InvalidInput: A role is none, or they are too many; the text begins with ``roles``.
        NotFound, Conflict, StoreUnavailable: As ``Accounts.disable``.
    """
    wanted = frozenset(roles)
    check_roles(wanted)

    def act(user: User) -> Change | None:
        if user.roles == wanted:
            return None
        lost = user.roles - wanted
        cuts = accounts.cuts_now(user, "a role was taken away") if lost else ()
        context = {"given": sorted(wanted - user.roles), "taken": sorted(lost)}
        changed = replace(user, roles=wanted)
        return Change(changed, EventKind.USER_ROLES_SET, cuts=cuts, origin=origin, context=context)

    return await accounts.change(name, act, actor)
