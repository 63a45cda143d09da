"""``authcenter audit``: what happened, and the proof that nobody has changed what is said of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from authcenter.audit.archive import ArchiveFile, archive, read_checkpoints
from authcenter.audit.checkpoints import checkpoint_document
from authcenter.audit.issued_together import as_wanted, each
from authcenter.audit.sources import Table
from authcenter.audit.verification import Verdict, verify
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.errors import InvalidInput
from authcenter.core.event import Event, EventKind
from authcenter.core.instants import instant_before
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter
from authcenter.wiring.core import Core

_ROWS_AT_ONCE = 1_000


@click.group("audit")
def command() -> None:
    """The audit log: what happened, and the proof of it."""


def _instant(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not value:
        return ""
    try:
        return instant_before(value, datetime.now(UTC)).isoformat(timespec="microseconds")
    except ValueError as problem:
        raise click.BadParameter(str(problem), ctx, param) from None


def _filters(function: Any) -> Any:
    options = [
        click.option("--event", default="", metavar="NAME", help="An event, or with a dot behind it all of a kind."),
        click.option("--client", "client_id", default="", metavar="ID", help="The client concerned."),
        click.option("--person", default="", metavar="SUBJECT", help="Who acted, or was acted on."),
        click.option("--request", "request_id", default="", metavar="ID", help="One request."),
        click.option("--family", default="", metavar="ID", help="All that one approval led to (`fam`)."),
        click.option("--jti", default="", metavar="ID", help="One token."),
        click.option("--ip", default="", metavar="ADDRESS", help="Where it came from."),
        click.option("--since", default="", callback=_instant, metavar="TIME", help="ISO 8601, or `2h`, `7d` ago."),
        click.option("--until", default="", callback=_instant, metavar="TIME", help="The same; not included."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@command.command("list")
@_filters
@click.option(
    "--most",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="How many rows; one may tell of several tokens.",
)
@json_option
@click.pass_context
def list_rows(ctx: click.Context, /, most: int, as_json: bool, **wanted: str) -> None:
    """The newest rows first, of tokens that were recorded together a line each."""
    about = AuditFilter(**wanted)
    page = run_on_record(ctx, lambda core: core.stores.trail.find(about, most))
    rows = as_wanted(page.rows, about)
    if as_json:
        show([_described(row) for row in rows], as_json=True)
        return
    for one in (one for row in rows for one in each(row)):
        click.echo(_line(one))
    if page.older is not None:
        click.echo("… and older ones: say --until, or a larger --most", err=True)


@command.command("export")
@_filters
@click.pass_context
def export(ctx: click.Context, /, **wanted: str) -> None:
    """Rows as JSON Lines on stdout, as they are hashed, the newest first."""

    async def act(core: Core) -> None:
        page = await core.stores.trail.find(AuditFilter(**wanted), _ROWS_AT_ONCE)
        while True:
            for row in page.rows:
                click.echo(json.dumps({"row": asdict(row)}, separators=(",", ":")))
            if page.older is None:
                return
            page = await core.stores.trail.find(AuditFilter(**wanted), _ROWS_AT_ONCE, page.older)

    run_on_record(ctx, act)


@command.command("archive")
@click.option(
    "--before",
    required=True,
    callback=_instant,
    metavar="TIME",
    help="What is older goes: ISO 8601, or `90d` ago. Of each chain an unbroken part, from its beginning.",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def archive_rows(ctx: click.Context, before: str, file: Path, as_json: bool) -> None:
    """Move old rows into FILE (JSON Lines), closed by a signed checkpoint. Verification goes on without them, and
    with them when the file is named."""
    if file.exists():
        raise InvalidInput(f"{file}: is there already")

    async def act(core: Core) -> dict[str, Any] | None:
        archived = await archive(core.stores.trail, core.checkpoint_keys, core.clock, before, file)
        if archived is None:
            return None
        closed_by = archived.closed_by
        context = {"before": before, "rows": archived.rows, "checkpoint": closed_by.number}
        await core.stores.audit.append(Event(EventKind.AUDIT_ARCHIVED, actor(), context=context))
        return {"file": str(file), "rows": archived.rows, "checkpoint": checkpoint_document(closed_by)}

    done = run_on_record(ctx, act)
    if done is None:
        click.echo("nothing is that old", err=True)
    elif as_json:
        show(done, as_json=True)
    else:
        click.echo(f"{done['rows']} rows are in {file}, closed by checkpoint {done['checkpoint']['number']}")


@command.command("verify")
@click.option(
    "--checkpoints",
    "copies",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Copies of checkpoints that were kept elsewhere: the service's log, or an archive.",
)
@click.argument("archives", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def verify_log(ctx: click.Context, copies: tuple[Path, ...], archives: tuple[Path, ...], as_json: bool) -> None:
    """Look at every row and every checkpoint, in ARCHIVES (the oldest first) and in the table.

    Exits with 1 and names the first row of each chain that does not hold.
    """
    kept = [one for path in copies for one in read_checkpoints(path)]
    sources = [ArchiveFile.read(path) for path in archives]

    async def act(core: Core) -> Verdict:
        return await verify([*sources, Table(core.stores.trail)], core.checkpoint_keys, kept)

    verdict = run_on_record(ctx, act)
    if as_json:
        show(asdict(verdict), as_json=True)
    else:
        for line in _told(verdict):
            click.echo(line)
    ctx.exit(1 if verdict.findings else 0)


def _told(verdict: Verdict) -> Sequence[str]:
    lines = [f"{one.where}: {one.what}" for one in verdict.findings]
    looked_at = f"{verdict.rows} rows of {verdict.writers} writers, {verdict.checkpoints} checkpoints"
    lines.append(f"{'BROKEN' if verdict.findings else 'the log holds'}: {looked_at}")
    if verdict.erased:
        lines.append(f"{verdict.erased} rows are about persons who have been erased: not altered, not whole any more")
    if verdict.beyond:
        lines.append(f"{verdict.beyond} rows are younger than the last checkpoint")
    if verdict.unknown_keys:
        lines.append(f"{verdict.unknown_keys} checkpoints were signed by a key that is gone; later ones vouch for them")
    return lines


def _described(row: AuditRow) -> dict[str, Any]:
    return {**asdict(row), "context": row.told}


def _line(row: AuditRow) -> str:
    context = " ".join(f"{name}={_short(value)}" for name, value in row.told.items() if name != "checks")
    who = " ".join(filter(None, (row.actor, (row.subject != row.actor and row.subject) or "", row.ip)))
    return f"{row.occurred_at[:23]}Z  {row.event:<22}  {who}  {context}  {row.request_id}".rstrip()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    # What was asked for by strangers must not write lines of its own on a terminal.
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 80 else f"{text[:79]}…"
