"""Children of the tests: none outlives its test process, and none that fails to start does so in silence."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.child_process import ChildProcess, ServerStartError, ServerStopError
from tests.servers.ports import free_port

SLEEP = "import time; time.sleep(600)"
PARENT = """
import sys, time
from pathlib import Path
from tests.servers.child_process import ChildProcess
child = ChildProcess(name="child", command=[sys.executable, "-c", sys.argv[2]], log=Path(sys.argv[1]))
child.start(lambda: True)
child.freeze()
print(child.pid, flush=True)
time.sleep(600)
"""
PORTS = """
import sys
from tests.servers.ports import free_port
print(*[free_port() for _ in range(20)], flush=True)
sys.stdin.read()
"""


def python(code: str, log: Path, **options: float) -> ChildProcess:
    return ChildProcess(name="child", command=[sys.executable, "-c", code], log=log, **options)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_no_child_outlives_a_killed_test_process_even_frozen(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path / "log", SLEEP], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert lives(pid)
        parent.kill()
    while lives(pid):  # the limit of the test ends a wait in vain
        time.sleep(0.01)


def test_a_child_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    child = python("raise SystemExit('out of order')", tmp_path / "log")
    with pytest.raises(ServerStartError, match="out of order"):
        child.start(lambda: False)


def test_a_child_that_never_answers_is_killed(tmp_path: Path) -> None:
    child = python(SLEEP, tmp_path / "log", start_seconds=0.1)
    with pytest.raises(ServerStartError, match="no answer"):
        child.start(lambda: False)
    assert not child.running


def test_a_child_that_ignores_its_signal_is_killed_and_reported(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True);" + SLEEP
    child = python(code, log, stop_seconds=0.1)
    child.start(lambda: "deaf" in log.read_text())
    with pytest.raises(ServerStopError, match="SIGTERM"):
        child.stop()
    assert not child.running


def test_a_kill_reaches_grandchildren(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True);" + SLEEP
    )
    child = python(code, log)
    child.start(lambda: log.read_text().endswith("\n"))
    child.kill()
    while lives(int(log.read_text())):
        time.sleep(0.01)


def test_two_test_processes_never_get_the_same_port() -> None:
    command = [sys.executable, "-c", PORTS]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "abc"]
    drawn = [free_port() for _ in range(20)]
    for process in processes:
        assert process.stdout is not None
        drawn += map(int, process.stdout.readline().split())
    for process in processes:
        process.communicate("")
    assert len(set(drawn)) == len(drawn) == 80


def test_an_orderly_end_reaches_a_frozen_child(tmp_path: Path) -> None:
    child = python(SLEEP, tmp_path / "log")
    child.start(lambda: True)
    child.freeze()
    assert child.stop() == -signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
