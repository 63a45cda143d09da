"""One process of the service, from its start to its end."""

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import ssl
import sys
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TextIO

import structlog

from authcenter.accounts.passwords import PasswordHashing
from authcenter.cli.demo import tell_demo
from authcenter.cli.policy_notes import policy_listener
from authcenter.core.clock import SystemClock
from authcenter.http.server import Listener, NoListener, OpenListener
from authcenter.http.tls import reload_on_change, server_context
from authcenter.serving.link import Inheritance, SupervisorLink
from authcenter.serving.report import Report, resident_bytes
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.telemetry.lines import WholeLines
from authcenter.telemetry.logs import Logger, configure_logs
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.telemetry.snapshot import snapshot
from authcenter.telemetry.tracing import open_tracing
from authcenter.wiring.background import background_loops
from authcenter.wiring.core import build_core
from authcenter.wiring.jobs import Job, background_jobs, finish_jobs
from authcenter.wiring.keys import open_keys_follower
from authcenter.wiring.policy import KnownPolicy, open_policy_follower, open_policy_store, policy_at_boot
from authcenter.wiring.record import open_record
from authcenter.wiring.service import Service, build_service
from authcenter.workers.unending import Unending

_PUBLIC = "public listener"

_LEAVE_SECONDS = 2.0
"""How long who is connected to a process that leaves may take to ask once more and be told to connect to another."""

_CANCEL_AGAIN_SECONDS = 0.5


def run_service(
    settings: BootSettings, *, demo: bool = False, inherited: Inheritance | None = None, public: bool = True
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        public: Whether requests are served; else background work alone is done.
        inherited: What the supervisor gives this process where it is one of several workers.

    Raises:
        PolicyError: The policy file does not validate.
        OSError: A listener's address, or a certificate, is not to be had.
    """
    begun_with = policy_at_boot(settings)
    configure_logs(begun_with.policy.logging.level, _stream(inherited), inherited.number if inherited else None)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, begun_with, inherited, demo=demo, serves=public))


async def _serve(
    settings: BootSettings, begun_with: KnownPolicy, inherited: Inheritance | None, *, demo: bool, serves: bool
) -> None:
    log: Logger = structlog.get_logger()
    policy = LivePolicy(begun_with.policy)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        metrics, hashing, clock = Metrics(), PasswordHashing(), SystemClock()
        stack.callback(hashing.close)
        if tracing := open_tracing(os.environ, log):
            stack.push_async_callback(tracing.close)

        def database_changed(up: bool, hint: str) -> None:
            service.follower.database_changed(up, hint)

        record = await stack.enter_async_context(
            open_record(
                settings,
                clock,
                lambda event: metrics.audit_events.count(event.kind),
                database_changed,
                tracing,
                environ=os.environ,
            )
        )
        core = build_core(settings, policy, record.stores, hashing, clock, record.strict)

        async def migrated() -> bool:
            if settings.env == "development":
                return not (await record.upgrade_schema()).pending
            return not (await record.schema()).pending

        request_log = RequestLog(_stream(inherited), inherited.number if inherited else None)
        stack.callback(request_log.flush)
        service = build_service(
            settings,
            core,
            metrics,
            log,
            request_log,
            migrated=migrated,
            shared=record.shared,
            spread=record.spread,
            tracing=tracing,
            policy_store=partial(open_policy_store, settings, os.environ) if settings.consul_url else None,
        )
        if record.shared.redis is not None:
            await record.shared.redis.check()
        policy.subscribe(policy_listener(service.health, metrics, log, tracing))
        policies = await stack.enter_async_context(
            open_policy_follower(settings, os.environ, policy, begun_with, service.health, metrics, log)
        )
        key_follower = await stack.enter_async_context(
            open_keys_follower(
                settings, os.environ, record.stores.keys_in_consul, core.keys, service.health, metrics, log
            )
        )
        tls = _Tls.of(settings) if serves else None
        # Ready means that requests are taken, too: a balancer must not be told so before.
        service.health.missing.add(_PUBLIC)
        operators = await _open_operators(settings, service, inherited, stopped)
        listener = _listener(settings, service, inherited, tls) if serves else NoListener()
        # The first load before the first request, where the record answers; the process starts without it too.
        await asyncio.gather(service.follower.step(), policies.load())
        await key_follower.load()
        public = await listener.open()
        service.health.missing.discard(_PUBLIC)
        if demo:
            await tell_demo(core, settings, public.port or settings.port)
        log.info("started", port=public.port, ops_port=operators.port, issuer=settings.issuer, env=settings.env)

        stack.push_async_callback(_close_records, service)
        jobs = background_jobs(core, settings, record.shared.jobs, service.health, metrics, log)
        loops = background_loops(service, policies, key_follower, jobs)
        if tls is not None:
            loops["reload_tls"] = partial(reload_on_change, tls.context, tls.certificate, tls.key, log)
        tasks = Unending(metrics, log).start(loops, stopped.set)
        _settle_garbage_collection()
        await stopped.wait()

        log.info("draining")
        ended = [task for task in tasks if task.done()]
        hurry = not serves or bool(ended)
        await _say_goodbye(service, wait=settings.env == "production" and inherited is None and not hurry)
        await _drain(service, public, operators, tasks, jobs.values())
        log.info("stopped")
        for task in ended:
            # Raised: who watches this process must see that it was not asked to end.
            task.result()


@dataclass(frozen=True, slots=True)
class _Tls:
    """TLS on the public listener, and the files it comes from."""

    context: ssl.SSLContext
    certificate: Path
    key: Path

    @classmethod
    def of(cls, settings: BootSettings) -> "_Tls | None":
        certificate, key = settings.tls_cert, settings.tls_key
        return None if certificate is None or key is None else cls(server_context(certificate, key), certificate, key)


class _Operators(Protocol):
    """Through what operators look at this process. ``port``: of its listener, if it has one."""

    @property
    def port(self) -> int | None: ...

    async def drain(self) -> None: ...


async def _open_operators(
    settings: BootSettings, service: Service, inherited: Inheritance | None, stopped: asyncio.Event
) -> _Operators:
    if inherited is None:
        return await Listener(service.operators, settings.ops_host, settings.ops_port).open()
    return await SupervisorLink.open(inherited.link, lambda question: _report(service, question), stopped.set)


def _listener(settings: BootSettings, service: Service, inherited: Inheritance | None, tls: _Tls | None) -> Listener:
    context = tls.context if tls else None
    if inherited is None:
        leave_seconds = _LEAVE_SECONDS if settings.env == "production" else 0.0
        return Listener(service.public, settings.host, settings.port, context, leave_seconds=leave_seconds)
    return Listener(service.public, "", 0, context, inherited.listeners, _LEAVE_SECONDS)


def _stream(inherited: Inheritance | None) -> TextIO:
    """Where log lines go: of several processes each writes whole lines."""
    return WholeLines(sys.stderr.fileno()) if inherited else sys.stderr


def _report(service: Service, question: int) -> Report:
    """What this process tells its supervisor."""
    health, observed = service.health, service.observed
    observed.refresh()
    return Report(
        question,
        serving=_PUBLIC not in health.missing,
        ready=not health.problems,
        health=health.report(),
        memory=resident_bytes(),
        metrics=snapshot(observed.registry.registry, observed.registry.rules),
    )


async def _drain(
    service: Service,
    public: OpenListener | NoListener,
    operators: "_Operators",
    tasks: Collection["asyncio.Task[None]"],
    jobs: Collection[Job],
) -> None:
    service.feed.end()
    await asyncio.gather(public.drain(), finish_jobs(jobs))
    await _end(tasks)
    await operators.drain()


async def _close_records(service: Service) -> None:
    """What was issued and refused last; what the database does not take lies in the spool."""
    await service.audit.close()
    await service.traces.flush()


async def _say_goodbye(service: Service, *, wait: bool) -> None:
    """Not ready from now on; once who asks for that knows, every answer says that its connection ends.

    Args:
        wait: Not in a worker, whose supervisor waits for all, nor where background work has failed: without it none
            must go on.
    """
    service.health.draining = True
    if wait:
        await service.probes.told()
    service.health.closing = True


async def _end(tasks: Collection["asyncio.Task[None]"]) -> None:
    # Asked again: a cancellation was seen to get lost on its way, probably under a read of SQLite.
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


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
