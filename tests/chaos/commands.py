"""Commands that are killed: at a named step, or some time after their start.

A child process of the tests has imported the command line and forks for each command, so that what is killed is the
command at work and not its imports.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiosqlite  # noqa: F401 - imported for the commands to come, as the next two
import asyncpg  # noqa: F401

import authcenter.cli.clients
import authcenter.cli.keys
import authcenter.cli.users  # noqa: F401
from authcenter.cli.root import main
from tests.chaos.steps import Trap, lay


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. ``code``: its exit code, or the negative number of the signal that ended it."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def acknowledged(self) -> bool:
        return self.code == 0

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class CommandLine:
    """Runs ``authcenter`` commands in forks of one child."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.commands", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, *words: str, stdin: str = "", kill_after: float | None = None) -> Done:
        """Run one command to its end. ``kill_after``: seconds until it gets SIGKILL."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(
            json.dumps({"words": words, "stdin": stdin, "kill_after": kill_after}), file=self._child.stdin, flush=True
        )
        return Done(**json.loads(self._child.stdout.readline()))

    def json(self, *words: str) -> Any:
        """What a command that must succeed prints."""
        done = self.run(*words, "--json")
        assert done.acknowledged, done
        return json.loads(done.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate()


def _run(directory: Path, words: list[str], stdin: str, kill_after: float | None) -> dict[str, Any]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        pid = os.fork()
        if pid == 0:
            for number, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), number)
            lay(Trap(directory))
            sys.argv = ["authcenter", *words]
            main()
            sys.stdout.flush()
            os._exit(0)
        code, seconds = _await(pid, kill_after)
        out.seek(0)
        err.seek(0)
        return {"code": code, "stdout": out.read().decode(), "stderr": err.read().decode(), "seconds": seconds}


def _await(pid: int, kill_after: float | None) -> tuple[int, float]:
    started = time.monotonic()
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], kill_after)[0]:
            signal.pidfd_send_signal(watch, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), time.monotonic() - started
    finally:
        os.close(watch)


def _serve(directory: Path) -> None:
    for line in sys.stdin:
        print(json.dumps(_run(directory, **json.loads(line))), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
