"""The process that owns the listening sockets and the operators' listener, and runs the workers."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from authcenter.cli.failure import CheckFailed
from authcenter.http.operations import OperatorsListener
from authcenter.http.probes import Probes
from authcenter.http.router import Router
from authcenter.http.server import Listener, bound_sockets
from authcenter.http.tls import server_context
from authcenter.serving.crew import Crew
from authcenter.serving.supervisor import NoWorkerError, Supervisor
from authcenter.settings.boot import BootSettings, variable
from authcenter.telemetry.lines import WholeLines
from authcenter.telemetry.logs import Logger, configure_logs
from authcenter.wiring.policy import policy_at_boot


def run_supervisor(settings: BootSettings, settings_file: Path | None, *, demo: bool) -> None:
    """Run ``settings.workers`` workers until SIGTERM or SIGINT; SIGHUP replaces them one after the other.

    What no worker could start on is refused here, once.

    Raises:
        PolicyError: The policy file does not validate.
        OSError: A listener's address, or a certificate, is not to be had.
        CheckFailed: No worker came up.
    """
    policy = policy_at_boot(settings).policy
    if settings.tls_cert and settings.tls_key:
        server_context(settings.tls_cert, settings.tls_key)
    configure_logs(policy.logging.level, WholeLines(sys.stderr.fileno()))
    # As an option of the command it may differ from what the workers would read.
    os.environ[variable("workers")] = str(settings.workers)
    asyncio.run(_supervise(settings, _worker_command(settings_file), demo=demo))


async def _supervise(settings: BootSettings, command: list[str], *, demo: bool) -> None:
    log: Logger = structlog.get_logger()
    stopped, renewal = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number, event in ((signal.SIGTERM, stopped), (signal.SIGINT, stopped), (signal.SIGHUP, renewal)):
        loop.add_signal_handler(number, event.set)
    crew, router, probes = Crew(settings.workers), Router(), Probes()
    observers = OperatorsListener(crew, router, probes)
    observers.mount()
    listeners = await bound_sockets(settings.host, settings.port)
    operators = await Listener(observers.handle, settings.ops_host, settings.ops_port).open()
    log.info(
        "supervising",
        workers=settings.workers,
        port=listeners[0].getsockname()[1],
        ops_port=operators.port,
        issuer=settings.issuer,
        env=settings.env,
    )
    try:
        options = ["--demo"] if demo else []
        told = probes.told if settings.env == "production" else None
        await Supervisor(command, options, listeners, crew, log, told).run(stopped, renewal)
    except NoWorkerError:
        raise CheckFailed("no worker came up; what they said is above") from None
    finally:
        await operators.drain()
        log.info("stopped")


def _worker_command(settings_file: Path | None) -> list[str]:
    """How this process was started, but for its arguments: whichever way found the package finds it again."""
    arguments = len(sys.argv) - 1
    started = sys.orig_argv[1 : len(sys.orig_argv) - arguments]
    named = ["--settings", str(settings_file)] if settings_file is not None else []
    return [sys.executable, *started, *named, "supervised"]
