"""Every metric (Prometheus text and OpenMetrics). Labels are bounded: no id, no address, nothing a stranger chooses."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from authcenter.core.errors import Reason
from authcenter.telemetry.log_context import EXPORTED_TRACE
from authcenter.telemetry.series import CountedSeries, Labels, TimedSeries
from authcenter.telemetry.snapshot import Over

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rules: dict[str, Over] = {}
        self.token_requests = self._counter("token_request", "Token requests.", "grant_type", "outcome")
        self.token_seconds = self._histogram("token_request_seconds", "Time of a token request.", "grant_type")
        self.introspections = self._counter("introspection", "Introspection requests.", "outcome")
        self.introspection_seconds = self._histogram("introspection_seconds", "Time of an introspection.")
        self.refresh_replays = self._counter("refresh_replay_detected", "Refresh tokens used a second time.")
        reasons = [(reason.value,) for reason in Reason]
        self.token_failures = self._counter(
            "access_token_validation_failure", "Access tokens refused.", "reason", known=reasons
        )
        self.id_token_failures = self._counter(
            "id_token_validation_failure", "ID tokens of identity providers refused.", "reason", known=reasons
        )
        self.dpop_failures = self._counter("dpop_proof_failure", "DPoP proofs refused.", "reason", known=reasons)
        self.jwks_requests = self._counter(
            "jwks_cache_requests",
            "Keys of others looked for, and key sets asked for.",
            "outcome",
            known=[(outcome,) for outcome in ("hit", "miss", "fetched", "unchanged", "failed")],
        )
        self.jwks_hit_ratio = self._gauge(
            "jwks_cache_hit_ratio",
            "Share of the keys of others looked for that were there; 1 before any.",
            over=Over.MIN,
        )
        self.jwks_hit_ratio.set(1)
        self.revocations = self._counter("revocation", "Revocations made by this process.", "kind")
        self.revocation_entries = self._gauge(
            "revocation_list_entries", "Entries of the revocation replica.", over=Over.MAX
        )
        self.revocation_lag = self._gauge(
            "revocation_replica_lag_seconds", "Age of the revocation replica.", over=Over.MAX
        )
        self.revocation_degraded = self._gauge(
            "revocation_degraded", "1 while revocations cannot be read.", over=Over.MAX
        )
        self.dependency_up = self._gauge("dependency_up", "Whether a dependency answers.", "dependency", over=Over.MIN)
        self.config_reloads = self._counter("config_reload", "Configuration documents read.", "source", "outcome")
        self.config_version = self._gauge(
            "config_version", "How many policies this process has had.", "version", over=Over.MAX
        )
        self.key_age = self._gauge(
            "signing_key_age_seconds", "Age of each key that signs.", "kid", "alg", over=Over.MAX
        )
        self.key_rotation = self._gauge(
            "signing_key_rotation_seconds", "How long a key signs, by the policy; 0: until told.", over=Over.MAX
        )
        self.cache_requests = self._counter("cache_requests", "Cache look-ups.", "cache", "outcome")
        self.logins = self._counter("login", "Sign-ins, and what refused them.", "outcome")
        self.sessions_active = self._gauge(
            "sessions_active", "Sessions that people can go on with, in the whole deployment.", over=Over.MAX
        )
        self.rate_limited = self._counter("rate_limited", "Requests refused by a rate limit.", "rule")
        self.audit_events = self._counter("audit_events", "Audit events written.", "event")
        self.eviction_backlog = self._gauge(
            "eviction_backlog_rows", "Dead rows, where this process evicts.", "table", over=Over.MAX
        )
        self.status_claims = self._counter(
            "status_claim", "Access tokens that were to name a place in a status list.", "outcome"
        )
        self.jobs = self._counter("job", "Jobs of the outbox, by what became of each try.", "job", "outcome")
        self.audit_depth = self._gauge(
            "audit_queue_depth", "Audit rows that are not in the database yet.", over=Over.SUM
        )
        self.audit_broken = self._gauge(
            "audit_chain_broken", "1 where a young row of the audit log does not hold.", over=Over.MAX
        )
        self.background_failures = self._counter(
            "background_failure", "Loops of background work that ended by a defect, and were begun anew.", "work"
        )
        self.job_depth = self._gauge("job_queue_depth", "Jobs of the outbox that wait.", over=Over.MAX)
        self.status_list_builds = self._counter(
            "status_list_build", "Status lists worked out from the record, or not.", "outcome"
        )
        self.http_seconds = self._histogram("http_request_seconds", "Time of a request.", "method", "route", "status")

    def _counter(self, name: str, text: str, *labels: str, known: Iterable[Labels] = ()) -> CountedSeries:
        return CountedSeries(self.registry, f"authcenter_{name}", text, labels, known)

    def _gauge(self, name: str, text: str, *labels: str, over: Over) -> Gauge:
        """``over``: what the value is of several workers; counters and histograms are summed."""
        self.rules[f"authcenter_{name}"] = over
        return Gauge(name, text, labels, namespace="authcenter", registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> TimedSeries:
        return TimedSeries(self.registry, f"authcenter_{name}", text, labels, _SECONDS, EXPORTED_TRACE.get)
