"""The rate limits, joined over the counters that a deployment has."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from authcenter.core.clock import Clock
from authcenter.core.derived import MacKeys
from authcenter.core.rules import Rule
from authcenter.limits.logins import LoginLimits
from authcenter.limits.mails import MailLimit
from authcenter.limits.networks import NetworkLimit
from authcenter.limits.settled import SettledLimit, settle_for_ever
from authcenter.limits.sign_ups import SignUpLimit
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.wiring.shared import Shared


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of one process.

    Attributes:
        second_factors: Of wrong second factors, by address and by person, at the rates of failed logins.
        mails: Of mails to an address that whoever is not signed in asks for.
        resets: Of links to set a password, by the network that asks for them, at the rate of sign-ups.
        user_codes: Of wrong codes on the device page, by address and by person, at the rates of failed logins.
        settle: Settles with the other instances for ever: a task of its own.
    """

    logins: LoginLimits
    second_factors: LoginLimits
    mails: MailLimit
    sign_ups: SignUpLimit
    resets: NetworkLimit
    user_codes: LoginLimits
    client_failures: SettledLimit
    tokens: SettledLimit
    settle: Callable[[], Coroutine[None, None, None]]


def build_limits(settings: BootSettings, policy: LivePolicy, clock: Clock, shared: Shared) -> Limits:
    """Join the limits."""
    tokens = SettledLimit(
        "token_client",
        Rule.RATE_LIMITED_CLIENT,
        lambda: policy.current.rate_limits.token_per_client,
        clock,
        shared.token_counters,
    )
    client_failures = SettledLimit(
        "client_auth_ip",
        Rule.RATE_LIMITED_ADDRESS,
        lambda: policy.current.rate_limits.client_auth_failures_per_ip,
        clock,
        shared.token_counters,
    )
    macs = MacKeys.derive(settings.secret_keys, "login name")
    mail_macs = MacKeys.derive(settings.secret_keys, "mail address")
    return Limits(
        logins=LoginLimits(lambda: policy.current.rate_limits, macs, shared.login_counters),
        second_factors=LoginLimits(
            lambda: policy.current.rate_limits, macs, shared.login_counters, name="second_factor"
        ),
        mails=MailLimit(lambda: policy.current.rate_limits, mail_macs, shared.login_counters),
        sign_ups=SignUpLimit(lambda: policy.current.rate_limits, shared.login_counters),
        resets=NetworkLimit("reset_ip", lambda: policy.current.rate_limits.signup_per_ip, shared.login_counters),
        user_codes=LoginLimits(lambda: policy.current.rate_limits, macs, shared.login_counters, name="user_code"),
        client_failures=client_failures,
        tokens=tokens,
        settle=lambda: settle_for_ever((tokens, client_failures)),
    )
