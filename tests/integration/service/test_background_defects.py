"""Background work that a defect ends is begun anew, and the process serves on; where it cannot, its exit code tells."""

import json
import os
from pathlib import Path

from tests.integration.service.api import Api, until
from tests.servers.authcenter import AuthcenterProcess

_STUMBLES_ONCE = """
from authcenter.workers.hints import ChangeHints

followed, stumbled = ChangeHints.run, []

async def run(self):
    if not stumbled:
        stumbled.append(True)
        raise RuntimeError("the handler is closed")
    await followed(self)

ChangeHints.run = run
"""

_ENDS_WHEN_TOLD = """
import asyncio
from pathlib import Path
from authcenter.workers.unending import Unending

async def keep(self, name, loop):
    while not Path("told").exists():
        await asyncio.sleep(0.02)
    raise RuntimeError("nothing can be told any more")

Unending.keep = keep
"""


def with_defect(directory: Path, defect: str) -> AuthcenterProcess:
    """A process into which ``defect`` was built."""
    built_in = directory / "built_in"
    built_in.mkdir()
    (built_in / "sitecustomize.py").write_text(defect)
    process = AuthcenterProcess(directory)
    process.environment["PYTHONPATH"] = os.pathsep.join([str(built_in), process.environment["PYTHONPATH"]])
    return process


def test_a_loop_that_stumbles_is_told_of_and_begun_anew_and_the_process_serves_on(tmp_path: Path) -> None:
    with with_defect(tmp_path, _STUMBLES_ONCE) as process, Api(process.url, process.ops_url, process.url) as api:
        until(lambda: api.metric("authcenter_background_failure_total", work="change_hints") == 1, "it is counted")
        assert api.kids()
        assert process.stop() == 0
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    (told,) = [line for line in lines if line["event"] == "background_work_failed"]
    assert (told["work"], told["level"]) == ("change_hints", "error")
    assert "RuntimeError: the handler is closed" in told["exception"]


def test_a_process_without_its_background_work_ends_and_not_as_if_it_had_been_asked_to(tmp_path: Path) -> None:
    with with_defect(tmp_path, _ENDS_WHEN_TOLD) as process:
        (tmp_path / "told").touch()
        until(lambda: not process.child.running, "it has ended")
        assert process.stop() == 1
    assert "RuntimeError: nothing can be told any more" in process.log.read_text()
