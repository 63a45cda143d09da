"""The SDK's metrics for Prometheus. Needs ``prometheus-client``; no other module of the SDK does.

There is no ``authcenter_id_token_validation_failure_total`` here: a resource server is shown access tokens only, and an
ID token that somebody sends as one is an access token refused with the reason ``typ``.
"""

from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge

from authcenter.core.errors import Reason
from authcenter.sdk.observer import FetchOutcome, Observer

_HIT, _MISS = "hit", "miss"


class PrometheusObserver(Observer):
    """Counts in the registry it is given. One a registry: several verifiers of a process share it.

    ``authcenter_jwks_cache_requests_total`` has the outcomes ``hit`` and ``miss`` (keys looked for at a token's first
    sight) and ``fetched``, ``unchanged`` and ``failed`` (key sets asked for).
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        failures = Counter(
            "authcenter_access_token_validation_failure", "Access tokens refused.", ["reason"], registry=registry
        )
        requests = Counter(
            "authcenter_jwks_cache_requests", "Keys looked for, key sets asked for.", ["outcome"], registry=registry
        )
        ratio = Gauge(
            "authcenter_jwks_cache_hit_ratio", "Share of the keys looked for that were there.", registry=registry
        )
        ratio.set_function(self._ratio)
        self._failures = {reason: failures.labels(reason.value) for reason in Reason}
        self._fetches = {outcome: requests.labels(outcome.value) for outcome in FetchOutcome}
        self._look_ups = {True: requests.labels(_HIT), False: requests.labels(_MISS)}
        self._looked_up = {True: 0, False: 0}

    def access_token_refused(self, reason: Reason) -> None:
        self._failures[reason].inc()

    def key_looked_up(self, *, found: bool) -> None:
        self._look_ups[found].inc()
        self._looked_up[found] += 1

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        self._fetches[outcome].inc()

    def _ratio(self) -> float:
        hits, misses = self._looked_up[True], self._looked_up[False]
        return hits / (hits + misses) if hits + misses else nan
