"""Passwords and addresses that people change themselves, joined: their pages, and the JSON of first-party apps."""

from collections.abc import Sequence
from datetime import timedelta

from authcenter.accounts.address_change import AddressChanges
from authcenter.accounts.own_passwords import OwnPasswords
from authcenter.accounts.password_change import PasswordChange
from authcenter.accounts.password_reset import PasswordReset, ResetLinks, ResetRequests
from authcenter.http.api.password import PasswordApi
from authcenter.http.pages import account_address, reset_password
from authcenter.http.pages.account_address import AccountAddressPage
from authcenter.http.pages.account_password import AccountPasswordPage
from authcenter.http.pages.demanded_password import DemandedPasswordPage
from authcenter.http.pages.forgot_password import ForgotPasswordPage
from authcenter.http.pages.one_time_link import link_to
from authcenter.http.pages.reset_password import ResetPasswordPage
from authcenter.wiring.core import Core
from authcenter.wiring.interactive_parts import Endpoint, InteractiveParts


def reset_links(core: Core) -> ResetLinks:
    """Who makes the links that were asked for: in the background."""
    return ResetLinks(
        accounts=core.accounts,
        links=core.stores.password_resets,
        letters=core.letters,
        macs=core.reset_macs,
        clock=core.clock,
        lifetime=lambda: timedelta(seconds=core.policy.current.accounts.reset_ttl),
        path=lambda token: link_to(reset_password.PATH, token),
    )


def recovery_endpoints(parts: InteractiveParts) -> "Sequence[Endpoint]":
    """Every endpoint by which people change a password or an address."""
    core, pages, limits = parts.core, parts.pages, parts.limits
    own = OwnPasswords(core.accounts, core.password_rules, core.letters, parts.forget_user)
    requests = ResetRequests(core.stores.outbox, core.letters, limits.mails, limits.resets)
    resets = PasswordReset(core.accounts, core.stores.password_resets, own, core.clock)
    change = PasswordChange(parts.sign_in, own, core.clock)
    addresses = AddressChanges(
        accounts=core.accounts,
        links=core.stores.address_changes,
        letters=core.letters,
        mails=limits.mails,
        clock=core.clock,
        lifetime=lambda: timedelta(seconds=core.policy.current.accounts.verify_ttl),
        path=lambda token: link_to(account_address.CONFIRM_PATH, token),
        forget=parts.forget_user,
    )
    return (
        ForgotPasswordPage(pages, requests),
        ResetPasswordPage(pages, resets, limits.sign_ups),
        DemandedPasswordPage(
            pages, parts.tickets, parts.sessions, core.stores.users, change, limits.sign_ups, parts.arrival
        ),
        AccountPasswordPage(pages, parts.own_account, parts.tickets, change, limits.sign_ups, parts.arrival),
        AccountAddressPage(pages, parts.own_account, addresses),
        PasswordApi(requests, resets, parts.catalogue),
    )
