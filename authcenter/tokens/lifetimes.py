"""How long what a client gets may live: the policy's figure, or the client's own where it is shorter."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from authcenter.core.client import Client, OnOutage
from authcenter.settings.live import LivePolicy


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """Reads the policy at each question, so that a change takes effect with the next request."""

    policy: LivePolicy

    def access(self, client: Client) -> timedelta:
        return _shorter(self.policy.current.tokens.access_ttl, client.lifetimes.access)

    def refresh(self, client: Client) -> timedelta:
        return _shorter(self.policy.current.tokens.refresh_ttl, client.lifetimes.refresh)

    def family(self, client: Client) -> timedelta:
        return _shorter(self.policy.current.tokens.refresh_max_lifetime, client.lifetimes.refresh_max)

    def reuse_grace(self, client: Client) -> timedelta:
        return _shorter(self.policy.current.tokens.refresh_reuse_grace, client.lifetimes.reuse_grace)

    @property
    def leeway(self) -> timedelta:
        return timedelta(seconds=self.policy.current.tokens.leeway)

    def on_outage(self, *clients: Client | None) -> OnOutage:
        """The strictest of the policy and the clients concerned."""
        wishes = {
            OnOutage(self.policy.current.revocation.on_outage),
            *(client.on_outage for client in clients if client),
        }
        return OnOutage.CLOSED if OnOutage.CLOSED in wishes else OnOutage.OPEN


@lru_cache(maxsize=64)
def _of_policy(seconds: int) -> timedelta:
    """The same few figures at every request."""
    return timedelta(seconds=seconds)


def _shorter(seconds: int, own: timedelta | None) -> timedelta:
    policy = _of_policy(seconds)
    return policy if own is None else min(policy, own)
