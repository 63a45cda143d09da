"""Redis: whether what is kept there stays there (RFC 9449 §11.1), and who can read it on the way."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from authcenter.diagnosis.edge import is_loopback
from authcenter.diagnosis.facts import Facts, Unanswered
from authcenter.diagnosis.finding import Finding, Severity
from authcenter.stores.ports.condition import RedisCondition


def redis_gone(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.redis, Unanswered):
        yield Finding(
            "redis.unanswered",
            Severity.ERROR,
            "AUTHCENTER_REDIS_URL",
            f"Redis does not answer: {facts.redis.hint}; revocations get through by the database, seconds later",
            "see that it runs and is reached from here",
            "README, Redis",
        )


def redis_evicts(facts: Facts) -> Iterator[Finding]:
    for one in _redis(facts):
        if one.eviction not in {"", "noeviction"}:
            yield Finding(
                "redis.evicts",
                Severity.ERROR if one.most_bytes else Severity.WARNING,
                _named(one),
                f"maxmemory-policy is {one.eviction}: what proves that a code, an assertion or a DPoP proof was used,"
                " and who failed how often, is thrown away"
                + (f" once {one.most_bytes} bytes are full" if one.most_bytes else " once it has a maxmemory"),
                "maxmemory-policy noeviction, and a Redis of its own",
                "RFC 9449 §11.1, RFC 7523 §3",
            )


def redis_forgets(facts: Facts) -> Iterator[Finding]:
    for one in _redis(facts):
        if not one.appends:
            rest = "; snapshots alone lose what came since the last" if one.snapshots else ""
            yield Finding(
                "redis.forgets",
                Severity.WARNING,
                _named(one),
                f"it writes no append-only file: after a restart a used proof may be used again{rest}",
                "appendonly yes",
                "RFC 9449 §11.1",
            )
        if one.failing:
            yield Finding(
                "redis.cannot_write",
                Severity.ERROR,
                _named(one),
                f"it could not write to its disk ({one.failing})",
                "see its log, and the disk",
                "RFC 9449 §11.1",
            )


def redis_in_the_clear(facts: Facts) -> Iterator[Finding]:
    scheme, _, rest = facts.settings.redis_url.partition("://")
    if not rest or scheme == "rediss":
        return
    login, _, hosts = rest.partition("/")[0].rpartition("@")
    if all(is_loopback(urlsplit(f"redis://{host}").hostname or "") for host in hosts.split(",")):
        return
    yield Finding(
        "redis.in_the_clear",
        Severity.WARNING if not login else Severity.HINT,
        "AUTHCENTER_REDIS_URL",
        "the way to Redis is not encrypted" + ("" if login else ", and Redis asks nobody who they are"),
        "rediss:// with a user and a password; or a network of which nobody else is part",
        "RFC 9700 §2.6",
    )


def _redis(facts: Facts) -> tuple[RedisCondition, ...]:
    return () if facts.redis is None or isinstance(facts.redis, Unanswered) else tuple(facts.redis)


def _named(one: RedisCondition) -> str:
    return f"Redis {one.node}".rstrip()
