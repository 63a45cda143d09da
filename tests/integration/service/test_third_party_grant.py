"""A grant type that another package brings: written, built and installed here, served by its entry point."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess

_GRANT = "urn:example:grant-type:badge"

_PYPROJECT = f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "badge-grant"
version = "1"

[project.entry-points."authcenter.grants"]
"{_GRANT}" = "badge_grant:BadgeGranter"
"""

_MODULE = f'''
"""Trades the number of a badge for a token."""

from dataclasses import dataclass

from authcenter.core.approval import Approval
from authcenter.core.errors import invalid_grant
from authcenter.core.ids import Subject
from authcenter.core.rules import Rule
from authcenter.grants.granter import GrantParts, TokenRequest


@dataclass(frozen=True, slots=True)
class BadgeGranter:
    parts: GrantParts

    @property
    def grant_type(self) -> str:
        return "{_GRANT}"

    async def approve(self, request: TokenRequest) -> Approval:
        badge = request.require("badge")
        if badge != "4711":
            raise invalid_grant(Rule.USER_UNKNOWN, "no such badge")
        target = await self.parts.targets.of(request.form, request.scope(), request.client, None)
        subject = Subject("badge_" + badge)
        return Approval(request.client, subject, target.scope, target.audience, request.at, origin=request.origin)
'''


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with the package installed beside it."""
    source, site = tmp_path_factory.mktemp("badge-grant"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(_PYPROJECT)
    (source / "badge_grant.py").write_text(_MODULE)
    install(source, site)
    directory = tmp_path_factory.mktemp("extended")
    python_path = AuthcenterProcess(directory).environment["PYTHONPATH"] + os.pathsep + str(site)
    yield from serving(AuthcenterProcess(directory, settings={"PYTHONPATH": python_path}))


def install(source: Path, site: Path) -> None:
    """Build the wheel and unpack it into a directory; nothing is fetched."""
    offline = ["--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", site, source], check=True)


def test_it_is_announced_registered_and_served(extended: Service) -> None:
    api = extended.api
    assert _GRANT in api.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]
    made = extended.process.cli_json("clients", "create", "--id", "door", "--grant", _GRANT)
    door = Credentials(made["client_id"], made["client_secret"])

    token = api.issue(door, _GRANT, badge="4711")["access_token"]
    assert api.decoded(token, audience=api.issuer)["sub"] == "badge_4711"
    assert api.active(door, token)
    assert api.metric("authcenter_token_request_total", grant_type=_GRANT, outcome="granted") == 1

    refused = api.ask(door, _GRANT, badge="4712")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    other = extended.operator.client("no-door", "client_credentials")
    assert api.ask(other, _GRANT, badge="4711").json()["error"] == "unauthorized_client"
