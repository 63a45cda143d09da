"""Rules, dashboards and runbooks in ``deploy/``: of one mind with each other and with the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Context, Group

from authcenter.cli.root import command as root
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.settings.policy import Policy
from authcenter.telemetry.metrics import Metrics
from tests.servers.deployed import DEPLOY

RUNBOOKS, DASHBOARDS = DEPLOY / "runbooks", sorted((DEPLOY / "grafana").glob("*.json"))
HEADINGS = ["## What it means", "## What to look at", "## What to do"]
_NAME = re.compile(r"\bauthcenter_[a-z_0-9]+|\bauthcenter:[a-z_0-9:]+")
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def rules(file: str) -> list[dict[str, Any]]:
    document = yaml.safe_load((DEPLOY / "prometheus" / file).read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yaml")}
RECORDED = {rule["record"]: rule["expr"] for rule in rules("recording.yaml")}
PAGES = {path.stem: path for path in RUNBOOKS.glob("*.md") if path.stem != "README"}


def panels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return found


def expressions() -> Iterator[Any]:
    for name, alert in ALERTS.items():
        yield pytest.param(alert["expr"], id=name)
    for name, expr in RECORDED.items():
        yield pytest.param(expr, id=name)
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield pytest.param(target["expr"], id=f"{path.stem}: {panel['title']} {target['refId']}")


def exposed() -> set[str]:
    """Every name that a query may use."""
    names = set()
    for collector in Metrics().registry._collector_to_names:
        (family,) = collector.describe()
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("expression", list(expressions()))
def test_a_query_asks_for_what_there_is(expression: str) -> None:
    assert set(_NAME.findall(expression)) <= exposed() | RECORDED.keys()


def test_what_is_recorded_is_asked_for() -> None:
    asked = {name for one in expressions() for name in _NAME.findall(str(one.values[0]))}
    assert RECORDED.keys() <= asked


def test_every_metric_of_requests_and_state_is_on_a_dashboard() -> None:
    asked = {name for one in expressions() for name in _NAME.findall(str(one.values[0]))}
    shown = {_SUFFIX.sub("", name) for name in asked}
    assert {_SUFFIX.sub("", name) for name in exposed()} <= shown


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_its_page_lies(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "runbook"}
    assert alert["annotations"]["runbook"] == f"deploy/runbooks/{name}.md"
    assert (DEPLOY.parent / alert["annotations"]["runbook"]).is_file()


def test_every_runbook_has_its_alert_and_is_listed() -> None:
    listed = re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(listed) == sorted(PAGES) == sorted(ALERTS)


@pytest.mark.parametrize("name", PAGES)
def test_a_runbook_says_what_it_means_what_to_look_at_and_what_to_do(name: str) -> None:
    lines = PAGES[name].read_text().splitlines()
    assert lines[0] == f"# {name}"
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    assert f"({ALERTS[name]['labels']['severity']})" in lines[2]


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_runbook_exist_with_their_options(name: str) -> None:
    text = PAGES[name].read_text()
    asked = re.findall(r"^    authcenter ([^\n|#]+)", text, re.MULTILINE) + re.findall(r"`authcenter ([^`]+)`", text)
    for line in asked:
        words, found = line.split(), root
        while words and isinstance(found, Group):
            command = found.get_command(Context(found), words.pop(0))
            assert command is not None, line
            found = command
        known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_runbook_stand_apart_from_its_words(name: str) -> None:
    for block in re.split(r"\n{2,}", PAGES[name].read_text().strip()):
        indented = {line.startswith("    ") for line in block.splitlines()}
        assert len(indented) == 1, block
        # Sentences begin with a capital, a name or a number; commands and queries do not.
        assert indented == {True} or not block[0].islower(), block


@pytest.mark.parametrize("name", PAGES)
def test_a_runbook_names_metrics_that_there_are(name: str) -> None:
    assert set(_NAME.findall(PAGES[name].read_text())) <= exposed() | RECORDED.keys()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_complete(path: Path) -> None:
    document = json.loads(path.read_text())
    assert document["uid"] == f"authcenter-{path.stem}"
    assert [one["name"] for one in document["templating"]["list"]] == ["datasource", "job"]
    found = panels(path)
    assert len({panel["title"] for panel in found}) == len({panel["id"] for panel in found}) == len(found)
    assert {panel["datasource"]["uid"] for panel in found} == {"${datasource}"}
    cells = [
        (x, y)
        for panel in found
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} <= set(range(24))


@pytest.mark.parametrize("name", PAGES)
def test_what_a_runbook_looks_for_exists(name: str) -> None:
    text = PAGES[name].read_text()
    assert set(re.findall(r"--rule (\w+)", text)) <= set(Rule)
    kinds = set(EventKind) | {f"{kind.partition('.')[0]}." for kind in EventKind}
    assert set(re.findall(r"--event ([\w.]+)", text)) <= kinds
    fields = {f"{section}.{field}" for section, about in Policy.model_fields.items() for field in _members(about)}
    sections = "|".join(Policy.model_fields)
    assert set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", text)) <= fields


def _members(field: Any) -> set[str]:
    return set(getattr(field.annotation, "model_fields", ()))
