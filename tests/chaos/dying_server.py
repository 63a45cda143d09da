"""``authcenter serve`` under a supervisor: whenever it is killed, it is started anew, as systemd would do.

Run as a module, with the directory of the trap's files and then the words of the command. The supervisor has imported
everything, so that a life costs a fork and not the second that imports take; a life shares nothing else with the last.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import aiosqlite  # noqa: F401 - imported for the lives to come, as the next two
import asyncpg  # noqa: F401

import authcenter.cli.process  # noqa: F401
from authcenter.cli.root import main
from tests.chaos.steps import Trap, lay
from tests.servers.child_process import _die_with_parent

DEATHS, LIFE = "deaths", "life"


def supervise(directory: Path, words: list[str]) -> None:
    """Live and die until SIGTERM; every death is a line in the file ``deaths``, the number of its signal.

    The file ``life`` holds the process id of the present life.
    """
    life = 0

    def end(number: int, _: FrameType | None) -> None:
        os.kill(life, number)
        os.waitpid(life, 0)
        os._exit(0)

    die_with_parent = _die_with_parent()
    while True:
        life = os.fork()
        if life == 0:
            if die_with_parent:
                die_with_parent()
            break
        signal.signal(signal.SIGTERM, end)
        (directory / LIFE).write_text(str(life))
        _, status = os.waitpid(life, 0)
        _note_death(directory / DEATHS, -os.waitstatus_to_exitcode(status))
        if not os.WIFSIGNALED(status):
            sys.exit("the server ended by itself")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    lay(Trap(directory))
    sys.argv = ["authcenter", *words]
    main()


def _note_death(deaths: Path, number: int) -> None:
    """Whoever waits for the file finds it whole."""
    before = deaths.read_text() if deaths.exists() else ""
    whole = deaths.with_suffix(".new")
    whole.write_text(f"{before}{number}\n")
    whole.rename(deaths)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), sys.argv[2:])
