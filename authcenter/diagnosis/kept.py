"""What the deployment stands on: the database, the source of its policy, and clocks that agree."""

from collections.abc import Iterator

from authcenter.diagnosis.facts import DatabaseFacts, Facts, Unanswered
from authcenter.diagnosis.finding import Finding, Severity

MOST_SKEW_SECONDS = 1.0
"""Above it ``/readyz`` says no."""

_NOTABLE_SKEW_SECONDS = 0.25


def database_gone(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.database, Unanswered):
        yield Finding(
            "database.unanswered",
            Severity.ERROR,
            "AUTHCENTER_DATABASE_URL",
            f"the database does not answer: {facts.database.hint}; clients, keys and the audit log were not looked at",
            "see that it runs and is reached from here; meanwhile a running service gives tokens only to clients that"
            " it knows, for cache.stale_if_error, and signs nobody in",
            "README, Running it",
        )


def record_unread(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.record, Unanswered):
        yield Finding(
            "record.unread",
            Severity.ERROR,
            "clients, keys, audit log",
            f"they could not be read, and were not looked at: {facts.record.hint}",
            "see what keeps them: the database or, of the keys, Consul",
            "README, Running it",
        )


def pending_migrations(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.database, DatabaseFacts) and facts.database.schema.pending:
        schema = facts.database.schema
        yield Finding(
            "database.pending_migrations",
            Severity.ERROR,
            "database",
            f"its schema is {schema.current or 'empty'}, this version needs {schema.newest}: it is not ready, and"
            " clients, keys and the audit log were not looked at",
            "authcenter db upgrade",
            "README, Running it",
        )


def clock_skew(facts: Facts) -> Iterator[Finding]:
    clocks = []
    if isinstance(facts.database, DatabaseFacts):
        clocks.append(("the database", facts.database.clock))
    if facts.redis is not None and not isinstance(facts.redis, Unanswered):
        clocks += [(f"Redis {one.node}".rstrip(), one.clock) for one in facts.redis]
    for who, clock in clocks:
        if clock.least > _NOTABLE_SKEW_SECONDS:
            yield Finding(
                "clock.skew",
                Severity.ERROR if clock.least > MOST_SKEW_SECONDS else Severity.WARNING,
                who,
                f"this machine's clock is {abs(clock.ahead):.2f} s {'ahead of' if clock.ahead > 0 else 'behind'} its:"
                f" tokens are refused as not yet valid, and above {MOST_SKEW_SECONDS:.0f} s this process is not ready",
                "synchronise both clocks (chrony, systemd-timesyncd)",
                "RFC 7519 §4.1.5, RFC 9449 §11.1",
            )


def sqlite_in_production(facts: Facts) -> Iterator[Finding]:
    if facts.production and facts.settings.database_url.startswith("sqlite"):
        yield Finding(
            "database.sqlite",
            Severity.HINT,
            "AUTHCENTER_DATABASE_URL",
            "SQLite takes one writer at a time, and serves instances on one machine only",
            "postgresql+asyncpg://, before there is a second machine",
            "README, Running it",
        )


def policy_unknown(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.consul_url or facts.policy_source == "consul":
        return
    known = bool(facts.policy_source)
    yield Finding(
        "consul.unanswered",
        Severity.WARNING if known else Severity.ERROR,
        "AUTHCENTER_CONSUL_URL",
        "Consul does not answer, or holds no policy that validates: "
        + ("the last good copy was judged" if known else "the policy is not known, and the built-in one was judged"),
        "see that Consul runs and is reached from here, and push a policy: `authcenter policy push`",
        "README, Consul",
    )
