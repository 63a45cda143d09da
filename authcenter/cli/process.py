"""One process of the service, from its start to its end."""

import asyncio
import contextlib
import gc
import importlib
import signal
import sys
from collections.abc import Callable, Collection, Coroutine
from contextlib import AsyncExitStack

import structlog

from authcenter.accounts.passwords import PasswordHashing
from authcenter.cli.demo import demo_lines
from authcenter.core.clock import SystemClock
from authcenter.http.server import Listener, drain_all
from authcenter.http.tls import reload_on_change, server_context
from authcenter.settings.boot import BootSettings
from authcenter.settings.file import FilePolicySource, boot_policy
from authcenter.settings.live import LivePolicy, Outcome, watch
from authcenter.settings.policy import Policy, fields_not_in_force
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger, configure_logs, set_level
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.wiring.core import build_core
from authcenter.wiring.record import open_record
from authcenter.wiring.service import build_service

_CANCEL_AGAIN_SECONDS = 0.5


def run_service(settings: BootSettings, *, demo: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        PolicyError: The policy file does not validate.
        OSError: A listener's address, or a certificate, is not to be had.
    """
    policy = LivePolicy(boot_policy(settings.policy_file, may_be_absent=settings.policy_file_is_default))
    configure_logs(policy.current.logging.level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, policy, demo=demo))


async def _serve(settings: BootSettings, policy: LivePolicy, *, demo: bool) -> None:
    log: Logger = structlog.get_logger()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        metrics, hashing, clock = Metrics(), PasswordHashing(), SystemClock()
        stack.callback(hashing.close)
        record = await stack.enter_async_context(
            open_record(settings, clock, lambda event: metrics.audit_events.count(event.kind))
        )
        spread = record.spread
        core = build_core(settings, policy, record.stores, hashing, clock, spread.revocations if spread else None)

        async def migrated() -> bool:
            if settings.env == "development":
                return not (await record.upgrade_schema()).pending
            return not (await record.schema()).pending

        request_log = RequestLog(sys.stderr)
        stack.callback(request_log.flush)
        service = build_service(settings, core, metrics, log, request_log, migrated=migrated, spread=spread)
        policy.subscribe(_policy_listener(service.health, metrics, log))
        _warn_of_idle_fields(policy.current, log)
        tls = server_context(settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None
        # Ready means that requests are taken, too: a balancer must not be told so before.
        service.health.missing.add("public listener")
        operators = await Listener(service.operators, settings.ops_host, settings.ops_port).open()
        # The first load before the first request, where the record answers; the process starts without it too.
        await service.follower.step()
        public = await Listener(service.public, settings.host, settings.port, tls).open()
        service.health.missing.discard("public listener")
        if demo:
            for line in await demo_lines(core, settings, public.port):
                print(line, file=sys.stderr, flush=True)
        log.info("started", port=public.port, ops_port=operators.port, issuer=settings.issuer, env=settings.env)

        background = [
            service.follower.run(),
            *(worker.run() for worker in service.spreading),
            watch(policy, FilePolicySource(settings.policy_file)),
        ]
        if tls and settings.tls_cert and settings.tls_key:
            background.append(reload_on_change(tls, settings.tls_cert, settings.tls_key, log))
        tasks = [asyncio.create_task(_supervised(work, stopped, log)) for work in background]
        _settle_garbage_collection()
        await stopped.wait()

        log.info("draining")
        service.health.draining = True
        await drain_all([public])
        await _end(tasks)
        await drain_all([operators])
        log.info("stopped")


async def _supervised(work: Coroutine[None, None, None], stopped: asyncio.Event, log: Logger) -> None:
    """Background work never ends by itself: where it does, by a defect, the process must not go on without it."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("background_work_failed")
        stopped.set()
        raise


async def _end(tasks: Collection["asyncio.Task[None]"]) -> None:
    # Asked again: a cancellation was seen to get lost on its way, probably under a read of SQLite.
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


def _policy_listener(
    health: Health, metrics: Metrics, log: Logger
) -> Callable[[Outcome, str, tuple[str, ...], Policy], None]:
    def note(outcome: Outcome, source: str, problems: tuple[str, ...], policy: Policy) -> None:
        metrics.config_reloads.count(source, outcome)
        health.policy_version = policy.version
        if outcome is Outcome.REJECTED:
            log.error("policy_rejected", source=source, problems=problems, in_force=policy.version)
        if outcome is Outcome.ACCEPTED:
            set_level(policy.logging.level)
            log.info("policy_accepted", source=source, version=policy.version)
            _warn_of_idle_fields(policy, log)

    return note


def _warn_of_idle_fields(policy: Policy, log: Logger) -> None:
    if idle := fields_not_in_force(policy):
        log.warning("policy_fields_not_in_force", fields=idle, remedy="this version accepts but does not act on them")


def _settle_garbage_collection() -> None:
    """What lives since the start stays out of every later collection, and requests, which make few cycles, are looked
    through for them less often: together a tenth of a request's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed (the extra `speed`)."""
    with contextlib.suppress(ImportError):
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
        return factory
    return None
