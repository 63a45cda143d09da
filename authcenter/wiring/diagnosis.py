"""What ``authcenter doctor`` judges, gathered: nothing is changed, and who does not answer is a fact like any other."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.diagnosis.facts import AuditFacts, DatabaseFacts, Facts, RecordFacts, SpoolFile, Unanswered
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import Policy
from authcenter.stores.ports.audit_trail import AuditFilter
from authcenter.stores.ports.condition import ClockReading, RedisCondition
from authcenter.stores.spool import left_behind
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.policy import policy_now
from authcenter.wiring.record import Record, open_record

T = TypeVar("T")

_ANSWER_SECONDS = 10.0
_REDIS_SECONDS = 2.0
_CHECKPOINT_LATE = timedelta(minutes=2)


async def gather(settings: BootSettings, environ: Mapping[str, str], clock: Clock) -> Facts:
    """All facts about a deployment, as far as it answers.

    Raises:
        PolicyError, SettingsError: The policy file, or a setting for Consul, cannot be used.
    """
    policy = await policy_now(settings, environ)
    hashing = PasswordHashing()
    try:
        async with open_record(settings, clock, redis_seconds=_REDIS_SECONDS, environ=environ) as record:
            core = build_core(settings, LivePolicy(policy.policy), record.stores, hashing, clock)
            database = await _answer(_database(record))
            readable = isinstance(database, DatabaseFacts) and not database.schema.pending
            return Facts(
                now=clock.now(),
                settings=settings,
                policy=policy.policy,
                policy_source=policy.source,
                development_secrets=_development_secrets(settings),
                database=database,
                record=await _answer(_record(record, core, policy.policy)) if readable else None,
                redis=await _answer(_redis(record)) if settings.redis_url else None,
                spool=_spool(settings.audit_spool),
            )
    finally:
        hashing.close()


async def _answer(question: Awaitable[T]) -> T | Unanswered:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await question
    except TimeoutError:
        return Unanswered(f"no answer within {_ANSWER_SECONDS:.0f} s")
    except Unavailable as failure:
        return Unanswered(str(failure))


async def _database(record: Record) -> DatabaseFacts:
    schema = await record.schema()
    began = time.time()
    theirs = await record.stores.revocations.now()
    ended = time.time()
    ahead = (began + ended) / 2 - theirs.timestamp()
    return DatabaseFacts(schema, ClockReading(ahead, max(0.0, ended - began) / 2))


async def _record(record: Record, core: Core, policy: Policy) -> RecordFacts:
    if core.stores.keys_in_consul is not None:
        await core.stores.keys_in_consul.refresh()
    await core.keys.reload()
    pause = await core.brake.standing()
    usual = Argon2Cost()
    return RecordFacts(
        clients=await core.stores.clients.list_clients(),
        ring=core.keys.ring,
        unreadable_keys=core.keys.unreadable,
        paused_since=pause.since if pause else None,
        hash_costs=await record.hash_costs(f"$argon2id$v=19$m={usual.memory_kib},t={usual.passes},p={usual.lanes}$"),
        audit=await _audit(core, policy),
    )


async def _audit(core: Core, policy: Policy) -> AuditFacts:
    late = max(_CHECKPOINT_LATE, timedelta(seconds=6 * policy.audit.checkpoint_every))
    until = (core.clock.now() - late).isoformat(timespec="microseconds")
    newest = await core.stores.trail.find(AuditFilter(until=until), 1)
    checkpoint = await core.stores.trail.last_checkpoint()
    return AuditFacts(
        settled_at=datetime.fromisoformat(newest.rows[0].occurred_at) if newest.rows else None,
        checkpoint_at=datetime.fromisoformat(checkpoint.at) if checkpoint else None,
    )


async def _redis(record: Record) -> Sequence[RedisCondition]:
    # redis-py loads half of OpenTelemetry where that is installed: only for who has a Redis.
    from authcenter.stores.redis.condition import redis_conditions  # noqa: PLC0415

    connection = record.shared.redis
    return () if connection is None else await redis_conditions(connection)


def _development_secrets(settings: BootSettings) -> frozenset[str]:
    """Those that stand, as they are, in the files that a development server makes."""
    found = set[str]()
    for name in ("secret_key", "key_passphrase"):
        given = {part.strip() for part in getattr(settings, name).get_secret_value().split(",")}
        if _content(settings.state_dir / name) in given - {""}:
            found.add(name)
    return frozenset(found)


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _spool(directory: Path) -> Sequence[SpoolFile]:
    files = []
    for path in left_behind(directory):
        try:
            status = path.stat()
        except OSError:
            # Drained meanwhile.
            continue
        files.append(SpoolFile(str(path), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)))
    return files
