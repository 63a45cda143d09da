"""The background jobs that one instance at a time does for all, joined."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from authcenter.audit.watching import YoungRows
from authcenter.authorization.subjects import ClientSubjects
from authcenter.core.ids import uuid7
from authcenter.core.job import JobName
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.job_queue import JobQueue
from authcenter.stores.remote.fetch import GuardedFetch
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.logout_tokens import LogoutTokens
from authcenter.wiring.core import Core
from authcenter.wiring.mail import mail_assignments
from authcenter.wiring.recovery import reset_links
from authcenter.wiring.sign_up import sign_up_links
from authcenter.workers.back_channel import BackChannelLogout
from authcenter.workers.checkpoints import CheckpointWorker
from authcenter.workers.count_sessions import SessionCounter
from authcenter.workers.erasure import AuditErasure
from authcenter.workers.errands import Assignment
from authcenter.workers.outbox import OutboxWorker
from authcenter.workers.purge import PurgeWorker
from authcenter.workers.reset_links import ResetLinkErrand
from authcenter.workers.rotation import RotationWorker
from authcenter.workers.sign_up_links import SignUpErrand
from authcenter.workers.unused_clients import UnusedClientsWorker
from authcenter.workers.watch_audit import AuditWatch

_SECONDS_TO_FINISH = 5.0


class Job(Protocol):
    """Work without end."""

    async def run(self) -> None:
        """Work until the task is cancelled."""
        ...


def background_jobs(
    core: Core, settings: BootSettings, queue: JobQueue, health: Health, metrics: Metrics, log: Logger
) -> Mapping[str, Job]:
    """By name. No I/O. A process that must not get requests (not loaded yet, draining, a wrong clock) does none of it.

    Their leases are in the record, as their work is: neither is to be had without the other, and Redis may forget.
    """
    holder, stores = uuid7(), core.stores

    def ready() -> bool:
        return not health.problems

    return {
        "rotate_keys": RotationWorker(
            rotation=core.rotation,
            keys=core.keys,
            brake=core.brake,
            locks=stores.locks,
            policy=core.policy,
            clock=core.clock,
            log=log,
            holder=holder,
            ready=ready,
        ),
        "evict": PurgeWorker(
            eviction=stores.eviction,
            locks=stores.locks,
            metrics=metrics,
            clock=core.clock,
            log=log,
            holder=holder,
            ready=ready,
        ),
        "remove_unused_clients": UnusedClientsWorker(
            unused=stores.unused_clients,
            registry=core.clients,
            locks=stores.locks,
            policy=core.policy,
            clock=core.clock,
            log=log,
            holder=holder,
            ready=ready,
        ),
        "sign_checkpoints": CheckpointWorker(
            trail=stores.trail,
            locks=stores.locks,
            keys=core.checkpoint_keys,
            every=lambda: core.policy.current.audit.checkpoint_every,
            clock=core.clock,
            log=log,
            holder=holder,
            ready=ready,
        ),
        "watch_audit": AuditWatch(
            rows=YoungRows(stores.trail, core.checkpoint_keys),
            locks=stores.locks,
            metrics=metrics,
            log=log,
            holder=holder,
            ready=ready,
        ),
        "outbox": OutboxWorker(
            outbox=stores.outbox,
            assignments={**assignments(core, settings.issuer), **mail_assignments(core, settings, log)},
            metrics=metrics,
            log=log,
            holder=holder,
            ready=ready,
            queue=queue,
        ),
        "count_sessions": SessionCounter(
            store=stores.sessions, policy=core.policy, metrics=metrics, clock=core.clock, ready=ready
        ),
    }


async def finish_jobs(jobs: Iterable[Job]) -> None:
    """Let what is under way come to its end, where that is near: a mail that is broken off may be sent twice."""
    working = [job.settle() for job in jobs if isinstance(job, OutboxWorker)]
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_FINISH):
            await asyncio.gather(*working)


def assignments(core: Core, issuer: str) -> dict[str, Assignment]:
    """Who does which job of the outbox, but for mail."""
    stores, policy = core.stores, core.policy
    poster = GuardedFetch(lambda: policy.current.fetch.allow_private)
    tokens = LogoutTokens(issuer, core.keys, core.clock)
    logout = BackChannelLogout(stores.clients, ClientSubjects(stores.pairwise), tokens, poster)
    return {
        JobName.BACK_CHANNEL_LOGOUT: Assignment(logout),
        JobName.SIGN_UP_ASKED: Assignment(SignUpErrand(sign_up_links(core))),
        JobName.RESET_ASKED: Assignment(ResetLinkErrand(reset_links(core))),
        JobName.ERASE_AUDIT: Assignment(AuditErasure(core.erasure)),
    }
