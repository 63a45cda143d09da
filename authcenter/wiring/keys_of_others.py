"""The keys that clients and identity providers publish, watched for the metrics."""

from authcenter.clients.keys import ClientKeys
from authcenter.core.clock import Clock
from authcenter.core.errors import Reason
from authcenter.sdk.observer import FetchOutcome, Observer
from authcenter.stores.ports.remote import Fetching
from authcenter.telemetry.metrics import Metrics

_HIT, _MISS = "hit", "miss"


class CountedKeys(Observer):
    """Counts in this process's metrics, as ``authcenter.sdk.metrics`` does where that is used."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def access_token_refused(self, reason: Reason) -> None:
        self._metrics.token_failures.count(reason)

    def key_looked_up(self, *, found: bool) -> None:
        requests = self._metrics.jwks_requests
        requests.count(_HIT if found else _MISS)
        hits, misses = requests.value(_HIT), requests.value(_MISS)
        self._metrics.jwks_hit_ratio.set(hits / (hits + misses))

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        self._metrics.jwks_requests.count(outcome)


def keys_of_others(fetch: Fetching, clock: Clock, metrics: Metrics) -> ClientKeys:
    """Finds keys by the URI where they are published."""
    return ClientKeys(fetch, clock, CountedKeys(metrics))
