"""What only a process of its own shows: pipes, terminals, and two of them at once."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authcenter.wiring.core import Core
from tests.integration.cli.console import PASSWORD, Console
from tests.servers.authcenter import cli_json

PROJECT = Path(__file__).parents[3]
HANG_SECONDS = 60


@pytest.fixture
def environment(console: Console) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCENTER_")}
    return kept | console.environment | {"PYTHONPATH": str(PROJECT)}


def at_terminal(
    environment: dict[str, str], arguments: Sequence[str], typed: Sequence[tuple[str, str]]
) -> tuple[int, str]:
    """Run a command at a terminal and answer each prompt; the exit code, and all that was seen."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "authcenter", *arguments]
    with subprocess.Popen(words, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        seen = ""
        for prompt, answer in typed:
            while prompt not in seen.rpartition("\n")[2]:
                seen += read(ours)
            os.write(ours, answer.encode() + b"\n")
            seen += "\n"
        while more := read(ours):
            seen += more
        os.close(ours)
        return child.wait(HANG_SECONDS), seen


def read(terminal: int) -> str:
    """The next of what is shown; empty at the end."""
    ready, _, _ = select.select([terminal], [], [], HANG_SECONDS)
    assert ready, "nothing is shown any more"
    try:
        return os.read(terminal, 4096).decode()
    except OSError:
        return ""


def test_a_password_typed_twice_is_never_shown(console: Console, environment: dict[str, str]) -> None:
    words = ["users", "create", "--username", "jo", "--email", "jo@example.com"]
    exit_code, seen = at_terminal(environment, words, [("Password", PASSWORD), ("Repeat", PASSWORD)])
    assert exit_code == 0, seen
    assert PASSWORD not in seen
    assert len(console.told("users", "list")) == 1


def test_a_no_at_the_terminal_leaves_everything(console: Console, environment: dict[str, str]) -> None:
    console.told("clients", "create", "--id", "shop")
    exit_code, seen = at_terminal(environment, ["clients", "delete", "shop"], [("refuse all its tokens?", "n")])
    assert exit_code == 1, seen
    assert "Traceback" not in seen
    assert len(console.told("clients", "list")) == 1


def test_two_new_secrets_at_once_are_both_good(console: Console, environment: dict[str, str]) -> None:
    console.told("clients", "create", "--id", "shop", "--name", "Шоп 🦊")
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: cli_json(environment, "clients", "rotate-secret", "shop"), range(2)))

    async def good(core: Core) -> list[bool]:
        client = await core.clients.get("shop")
        return [await core.secrets.verify(client, one["client_secret"]) for one in made]

    assert console.act(good) == [True, True]
    assert {one["name"] for one in made} == {"Шоп 🦊"}
    assert console.events().count("client.secret_rotated") == 2


def test_a_reader_that_leaves_early_is_no_drama(console: Console, environment: dict[str, str]) -> None:
    console.told("clients", "create", "--id", "shop")
    words = [sys.executable, "-m", "authcenter", "clients", "list", "--json"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        said = child.stderr.read()
        assert (child.wait(HANG_SECONDS), said) == (1, b"")
