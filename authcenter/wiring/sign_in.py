"""Signing in with a password, and the step after it, joined: one for all pages and grants, so that none has limits of
its own."""

from collections.abc import Awaitable, Callable

from authcenter.accounts.failed_sign_ins import FailedSignIns
from authcenter.accounts.second_factor_tries import SecondFactorTries
from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.core.derived import MacKeys
from authcenter.http.pages.messages import load_catalogue
from authcenter.settings.boot import BootSettings
from authcenter.wiring.core import Core
from authcenter.wiring.limits import Limits
from authcenter.wiring.shared import Shared


def password_sign_in(
    settings: BootSettings, core: Core, limits: Limits, shared: Shared, pause: Callable[[float], Awaitable[None]]
) -> PasswordSignIn:
    """``pause``: takes seconds."""
    failed = FailedSignIns(
        users=core.stores.users,
        outbox=core.stores.outbox,
        letters=core.letters,
        macs=MacKeys.derive(settings.secret_keys, "login name"),
        counters=shared.login_counters,
        languages=frozenset(load_catalogue().languages),
    )
    return PasswordSignIn(core.accounts, limits.logins, failed, pause)


def build_second_step(core: Core, limits: Limits, sign_in: PasswordSignIn) -> SecondStep:
    """Its owners hear of it by the same way as of passwords."""
    return SecondStep(core.second_factors, SecondFactorTries(limits.second_factors, sign_in.failed))
