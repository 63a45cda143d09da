"""``authcenter doctor``: what to change in this deployment, and why."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from authcenter.cli.failure import CHECK_FAILED
from authcenter.cli.invocation import read_settings
from authcenter.cli.session import json_option, show
from authcenter.core.clock import SystemClock
from authcenter.diagnosis.facts import Facts
from authcenter.diagnosis.finding import Finding, Severity
from authcenter.diagnosis.judging import CHECKS, diagnose
from authcenter.wiring.diagnosis import gather


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Say what to change in this deployment, and why: by RFC 9700 and by its own policy.

    Asks the database, Redis and Consul, and changes nothing. Exits with 1 where there is an error, else with 0.
    """
    facts = asyncio.run(gather(read_settings(ctx), os.environ, SystemClock()))
    found = diagnose(facts)
    if as_json:
        show(_report(facts, found), as_json=True)
    else:
        for line in _lines(facts, found):
            click.echo(line)
    if any(finding.severity is Severity.ERROR for finding in found):
        ctx.exit(CHECK_FAILED)


def _report(facts: Facts, found: Sequence[Finding]) -> dict[str, object]:
    return {
        "issuer": facts.settings.issuer,
        "env": facts.settings.env,
        "at": facts.now.isoformat(timespec="seconds"),
        "checks": len(CHECKS),
        "errors": _count(found, Severity.ERROR),
        "warnings": _count(found, Severity.WARNING),
        "hints": _count(found, Severity.HINT),
        "findings": [asdict(finding) for finding in found],
    }


def _lines(facts: Facts, found: Sequence[Finding]) -> Iterator[str]:
    for finding in found:
        yield f"{finding.severity.upper():<7}  {_text(finding.about)}  [{finding.check}]"
        yield f"         {_text(finding.problem)}"
        yield f"         → {_text(finding.remedy)}"
        yield f"         {finding.reference}"
        yield ""
    counts = ", ".join(f"{_count(found, severity)} {severity}s" for severity in Severity)
    yield f"{facts.settings.issuer}: {len(CHECKS)} checks, {counts}"


def _count(found: Sequence[Finding], severity: Severity) -> int:
    return sum(finding.severity is severity for finding in found)


def _text(value: str) -> str:
    # What a database or a client's metadata says must not write lines, or colours, of its own on a terminal.
    return value if value.isprintable() else ascii(value)
