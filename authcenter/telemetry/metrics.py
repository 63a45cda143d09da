"""Every metric (Prometheus text and OpenMetrics). Labels are bounded: no id, no address, nothing a stranger chooses."""

from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)

M = TypeVar("M", Counter, Histogram)


class Labelled(Generic[M]):
    """A metric's children by their label values; remembered, because prometheus_client's look-up takes a lock."""

    __slots__ = ("_children", "_metric")

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], M] = {}

    def __call__(self, *labels: str) -> M:
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        # A second series beside each counter, to tell when it began, doubles what is scraped.
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.token_requests = self._counters("token_request", "Token requests.", "grant_type", "outcome")
        self.token_seconds = self._histograms("token_request_seconds", "Time of a token request.", "grant_type")
        self.introspections = self._counters("introspection", "Introspection requests.", "outcome")
        self.introspection_seconds = self._histogram("introspection_seconds", "Time of an introspection.")
        self.refresh_replays = self._counter("refresh_replay_detected", "Refresh tokens used a second time.")
        self.token_failures = self._counters("access_token_validation_failure", "Access tokens refused.", "reason")
        self.revocations = self._counters("revocation", "Revocations made by this process.", "kind")
        self.revocation_entries = self._gauge("revocation_list_entries", "Entries of the revocation replica.")
        self.revocation_lag = self._gauge("revocation_replica_lag_seconds", "Age of the revocation replica.")
        self.revocation_degraded = self._gauge("revocation_degraded", "1 while revocations cannot be read.")
        self.dependency_up = self._gauge("dependency_up", "Whether a dependency answers.", "dependency")
        self.config_reloads = self._counters("config_reload", "Configuration documents read.", "source", "outcome")
        self.config_version = self._gauge("config_version", "How many policies this process has had.", "version")
        self.key_age = self._gauge("signing_key_age_seconds", "Age of each key that signs.", "kid", "alg")
        self.cache_requests = self._counters("cache_requests", "Cache look-ups.", "cache", "outcome")
        self.logins = self._counters("login", "Password checks.", "outcome")
        self.audit_events = self._counters("audit_events", "Audit events written.", "event")
        self.http_seconds = self._histograms("http_request_seconds", "Time of a request.", "method", "route", "status")

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, namespace="authcenter", registry=self.registry)

    def _counters(self, name: str, text: str, *labels: str) -> Labelled[Counter]:
        return Labelled(Counter(name, text, labels, namespace="authcenter", registry=self.registry))

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace="authcenter", registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, namespace="authcenter", registry=self.registry, buckets=_SECONDS)

    def _histograms(self, name: str, text: str, *labels: str) -> Labelled[Histogram]:
        return Labelled(Histogram(name, text, labels, namespace="authcenter", registry=self.registry, buckets=_SECONDS))
