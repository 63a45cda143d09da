"""The rate limits, joined over the counters that a deployment has."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from authcenter.core.clock import Clock
from authcenter.core.derived import MacKeys
from authcenter.core.rules import Rule
from authcenter.limits.logins import LoginLimits
from authcenter.limits.settled import SettledLimit, settle_for_ever
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.stores.memory.shared import MemoryRateCounters
from authcenter.stores.ports.shared import RateCounters


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of one process.

    Attributes:
        settle: Settles with the other instances for ever: a task of its own.
    """

    logins: LoginLimits
    client_failures: SettledLimit
    tokens: SettledLimit
    settle: Callable[[], Coroutine[None, None, None]]


def build_limits(
    settings: BootSettings, policy: LivePolicy, clock: Clock, counters: Sequence[RateCounters] = ()
) -> Limits:
    """Join the limits.

    Args:
        counters: Redis and then what counts failed logins without it; none: the memory of this process.
    """
    counters = counters or (MemoryRateCounters(clock),)
    tokens = SettledLimit(
        "token_client",
        Rule.RATE_LIMITED_CLIENT,
        lambda: policy.current.rate_limits.token_per_client,
        clock,
        counters[0],
    )
    client_failures = SettledLimit(
        "client_auth_ip",
        Rule.RATE_LIMITED_ADDRESS,
        lambda: policy.current.rate_limits.client_auth_failures_per_ip,
        clock,
        counters[0],
    )
    macs = MacKeys.derive(settings.secret_keys, "login name")
    return Limits(
        logins=LoginLimits(lambda: policy.current.rate_limits, macs, counters),
        client_failures=client_failures,
        tokens=tokens,
        settle=lambda: settle_for_ever((tokens, client_failures)),
    )
