"""What a workbench's people find in their mailboxes: letters of the outbox, opened."""

import structlog

from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.wiring.jobs import assignments
from authcenter.workers.outbox import OutboxWorker
from tests.workbench import ISSUER, Workbench


async def work(bench: Workbench) -> None:
    """Do what is waiting, all but sending."""
    assigned = {name: one for name, one in assignments(bench.core, ISSUER).items() if name != JobName.MAIL}
    worker = OutboxWorker(
        outbox=bench.stores.outbox,
        assignments=assigned,
        metrics=bench.metrics,
        log=structlog.wrap_logger(bench.log),
        holder="tests",
        ready=lambda: True,
    )
    while await worker.step():
        await worker.settle()


async def letters(bench: Workbench, kind: MailKind | None = None) -> list[Letter]:
    """What has been sent, the oldest first."""
    await work(bench)
    jobs = [row.job for row in bench.record.tables.outbox.values() if row.job.name == JobName.MAIL]
    opened = [bench.core.letters.open(job.payload) for job in jobs]
    return [letter for letter in opened if letter is not None and kind in {None, letter.kind}]


async def link(bench: Workbench, kind: MailKind = MailKind.RESET_PASSWORD) -> str:
    """The link of the latest mail of this kind."""
    return (await letters(bench, kind))[-1].values["link"]
