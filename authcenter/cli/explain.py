"""``authcenter explain``: why a request was refused, or granted."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from authcenter.audit.story import Story, tell
from authcenter.cli.session import json_option, run_on_record, show
from authcenter.core.errors import NotFound
from authcenter.core.instants import instant_before
from authcenter.stores.ports.request_traces import RequestTrace, TraceFilter


@click.command("explain")
@click.argument("request_id", metavar="[REQUEST_ID]", required=False)
@click.option("--client", "client_id", default="", metavar="ID", help="Find requests of this client.")
@click.option("--rule", default="", help="Find requests that this rule refused.")
@click.option("--ip", default="", metavar="ADDRESS", help="Find requests from there.")
@click.option("--refused", is_flag=True, help="Find only what was refused.")
@click.option(
    "--since", default="1h", show_default=True, metavar="TIME", help="From when: ISO 8601, or `2h`, `7d` ago."
)
@click.option("--most", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, request_id: str | None, since: str, most: int, as_json: bool, **wanted: Any) -> None:
    """Say why the request REQUEST_ID (the answer's X-Request-Id) was refused or granted, check by check.

    Without an id: find requests by client, rule, address and time, the newest first.
    """
    if request_id is None:
        _find(ctx, TraceFilter(**wanted, since=_instant(ctx, since)), most, as_json=as_json)
        return
    story = run_on_record(ctx, lambda core: tell(request_id, core.stores.traces, core.stores.trail))
    if story is None:
        raise NotFound(f"request {request_id!a:.80} is not known, or not any more (policy `audit.explain_ttl`)")
    if as_json:
        show({**asdict(story), "granted": story.granted}, as_json=True)
        return
    for line in lines(story):
        click.echo(line)


def lines(story: Story) -> Iterator[str]:
    """The story, for a terminal: whatever it holds, each is one line of printable text."""
    return map(_text, _lines(story))


def _lines(story: Story) -> Iterator[str]:
    verdict = "granted" if story.granted else "refused"
    asked = f"{story.method} {story.route} → {story.status}" if story.route else f"a request that was {verdict}"
    yield f"{story.at[:23]}Z  {asked}"
    yield f"client {story.client_id or '-'}  from {story.ip or '-'}  request {story.request_id}"
    yield ""
    for check in story.checks:
        facts = "  ".join(f"{name}={_text(value)}" for name, value in check.facts.items())
        yield f"  {'✓' if check.passed else '✗'} {check.name:<24} {facts}".rstrip()
    if story.granted:
        yield "" if story.checks else "  no check refused"
        yield "GRANTED"
    else:
        yield ""
        yield f"REFUSED by {story.rule}: {story.hint}"
        yield f"Cause:  {story.cause}"
        yield from (f"        {line}" for line in story.evidence)
        yield f"Remedy: {story.remedy}"
    for event in story.events:
        yield f"Audit:  {event}"


def _find(ctx: click.Context, wanted: TraceFilter, most: int, *, as_json: bool) -> None:
    found = run_on_record(ctx, lambda core: core.stores.traces.find(wanted, most))
    if as_json:
        show([_described(one) for one in found], as_json=True)
        return
    for one in found:
        at = one.at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        refused = one.rule or "granted"
        asked = f"{one.status}  {one.method} {one.route}  {one.client_id}  {refused}"
        click.echo(_text(f"{at}Z  {one.request_id}  {asked}"))
    if not found:
        click.echo("no such request is known", err=True)


def _described(one: RequestTrace) -> dict[str, Any]:
    return {
        **asdict(one),
        "at": one.at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "checks": json.loads(one.checks),
    }


def _instant(ctx: click.Context, value: str) -> datetime:
    try:
        return instant_before(value, datetime.now(UTC))
    except ValueError as problem:
        raise click.UsageError(f"--since: {problem}", ctx) from None


def _text(value: object) -> str:
    # What strangers sent must not write lines, or colours, of its own on a terminal.
    text = "-" if value is None else str(value)
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
