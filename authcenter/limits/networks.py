"""What strangers may ask for so many times, by the network they come from."""

from collections.abc import Callable
from dataclasses import dataclass

from authcenter.core.errors import RateLimited
from authcenter.core.rules import Rule
from authcenter.limits.address import network_of
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters


@dataclass(frozen=True, slots=True)
class NetworkLimit:
    """Counts requests by network: an IPv4 address, or the /64 of an IPv6 one.

    Attributes:
        name: Begins the shared keys.
        rate: Asked at every use.
        counters: Shared by all instances.
    """

    name: str
    rate: Callable[[], Rate]
    counters: RateCounters

    async def take(self, address: str) -> None:
        """Take a slot.

        Raises:
            RateLimited: None is free.
            Unavailable: The counters do not answer.
        """
        rate, network = self.rate(), network_of(address)
        taken = await self.counters.take(f"{self.name}:{rate}:{network}", rate)
        if not taken.allowed:
            raise RateLimited(
                Rule.RATE_LIMITED_ADDRESS,
                f"{self.name} {network}: more than {rate}",
                limit=rate.limit,
                retry_after=taken.retry_after,
                reset_after=taken.reset_after,
            )
