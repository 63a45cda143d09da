"""``python -m tests.bench``: measure, print, write JSON; exit 1 on a failed request or a missed target."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import (
    audit_cost,
    code_flow,
    feed_delay,
    gateways,
    machine,
    outage,
    revocation_delay,
    sign_in_timing,
    table,
    verification,
)
from tests.bench.authority import Authcenter
from tests.bench.compare import Cores, compare, cores
from tests.bench.contenders import Bare, OidcProvider
from tests.bench.load import CONNECTIONS
from tests.bench.work import Contender, Work

_LATEST = Path(__file__).parent / "results" / "latest.json"
_CONTENDERS: dict[str, Callable[[Path], Contender]] = {
    contender.name: contender for contender in (Bare, Authcenter, OidcProvider)
}
_VERIFY = "verify"
_PROGRAMS = ("wrk", "npm", "taskset")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and give the exit code."""
    asked = _parser().parse_args(arguments)
    works = [work for work in Work if not asked.only or asked.only in work.value]
    with_verify = not asked.only or asked.only in _VERIFY
    with_revocation = not asked.only or asked.only in revocation_delay.NAME
    with_gateways = not asked.only or asked.only in gateways.NAME
    with_feed = not asked.only or asked.only in feed_delay.NAME
    with_outage = not asked.only or asked.only in outage.NAME
    with_code_flow = not asked.only or asked.only in code_flow.NAME
    with_audit = not asked.only or asked.only in audit_cost.NAME
    with_sign_in = not asked.only or asked.only in sign_in_timing.NAME
    others = (with_verify, with_revocation, with_gateways, with_feed, with_outage, with_code_flow, with_sign_in)
    if not works and not with_audit and not any(others):
        parts = (revocation_delay, gateways, feed_delay, outage, code_flow, audit_cost, sign_in_timing)
        names = ", ".join([*Work, _VERIFY, *(part.NAME for part in parts)])
        print(f"nothing is named {asked.only!r}: {names}", file=sys.stderr)
        return 2
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        print(f"the bench needs {', '.join(missing)}; on Debian: apt-get install wrk npm util-linux", file=sys.stderr)
        return 2
    on = cores()
    os.sched_setaffinity(0, {on.load})
    report: dict[str, Any] = {"machine": machine.describe(on)}
    settings = {"seconds": asked.seconds, "rounds": asked.rounds, "warm_up": asked.warm_up, "connections": CONNECTIONS}
    report["settings"] = settings
    verdicts: list[table.Target] = []
    failed = 0
    if works:
        of = _compared(asked, works, on)
        failed = table.failures(of)
        verdicts = table.targets(of)
        print(table.render(of))
        report["ratios"] = {work.value: table.ratios(of, work) for work in of}
        report["works"] = {
            work.value: {name: asdict(row) for name, row in row_of.items()} for work, row_of in of.items()
        }
    if with_code_flow:
        timing = {"rounds": asked.rounds, "seconds": asked.seconds, "warm_up": asked.warm_up}
        figures = code_flow.measure(on, asked.contender, **timing)
        failed += code_flow.failures(figures)
        print(code_flow.render(figures))
        report["code_flow"] = figures
    if with_audit and table.OURS in asked.contender:
        costs = audit_cost.measure(on, rounds=asked.rounds, seconds=asked.seconds, warm_up=asked.warm_up)
        failed += audit_cost.failures(costs)
        verdicts += audit_cost.targets(costs)
        print(audit_cost.render(costs))
        report["audit_cost"] = costs
    if with_verify and table.OURS in asked.contender:
        figures = verification.in_a_process(on.server)
        verdicts += verification.targets(figures)
        print(verification.render(figures))
        report["verification"] = figures
    if with_revocation and table.OURS in asked.contender:
        delays = revocation_delay.measure(on.server)
        verdicts += revocation_delay.targets(delays)
        print(revocation_delay.render(delays))
        report["revocation"] = delays
    if with_gateways and table.OURS in asked.contender:
        rates = gateways.measure(on, rounds=asked.rounds, seconds=asked.seconds, warm_up=asked.warm_up)
        failed += gateways.failures(rates)
        verdicts += gateways.targets(rates)
        print(gateways.render(rates))
        report["gateways"] = rates
    if with_feed and table.OURS in asked.contender:
        followed = feed_delay.measure()
        verdicts += feed_delay.targets(followed)
        print(feed_delay.render(followed))
        report["feed"] = followed
    if with_outage and table.OURS in asked.contender:
        report["outage"] = outage.measure()
        print(outage.render(report["outage"]))
    if with_sign_in and table.OURS in asked.contender:
        timed = sign_in_timing.measure()
        verdicts += sign_in_timing.targets(timed)
        print(sign_in_timing.render(timed))
        report["sign_in_timing"] = timed
    report |= {"targets": [asdict(verdict) for verdict in verdicts], "failures": failed}
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(report, indent=2) + "\n")
    print("\n".join(table.render_target(verdict) for verdict in verdicts))
    if failed:
        print(f"VOID: {failed} requests failed; a rate with failures in it says nothing", file=sys.stderr)
    return 1 if failed or not all(verdict.met for verdict in verdicts) else 0


def _compared(asked: argparse.Namespace, works: Sequence[Work], on: Cores) -> table.Rows:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authcenter-bench-")))
        contenders = [make(place) for name, make in _CONTENDERS.items() if name in asked.contender]
        for contender in contenders:
            stack.enter_context(contender)
        timing = {"rounds": asked.rounds, "seconds": asked.seconds, "warm_up": asked.warm_up}
        return table.rows(compare(contenders, works, on=on, **timing))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="length of each load (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each kind, interleaved (default 3)")
    parser.add_argument("--warm-up", type=int, default=1, help="load before each that is not counted (default 1)")
    asked = "works named so, verify, revocation, gateways, feed, outage, code flow, audit cost, sign-in timing"
    parser.add_argument("--only", metavar="NAME", default="", help=asked)
    parser.add_argument(
        "--contender", nargs="+", choices=_CONTENDERS, default=list(_CONTENDERS), help="default: all three"
    )
    parser.add_argument("--json", type=Path, default=_LATEST, metavar="FILE", help="default: results/latest.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
