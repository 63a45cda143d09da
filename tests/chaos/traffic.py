"""The generator's handle: load while a block runs, and what it was told."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.caller import Caller
from tests.chaos.generator import Order
from tests.chaos.notes import OCCASIONAL, STEADY, Chain, Note, Told, read_notes
from tests.integration.service.api import until
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.child_process import ChildProcess

_PROJECT = Path(__file__).parents[2]


@dataclass(slots=True)
class Traffic:
    """Load that goes on. ``told`` is whole when it has ended."""

    file: Path
    instances: int
    told: Told

    def until_answered(self, since: float, *, but: str = "") -> None:
        """Wait until something of every steady kind (but one) was sent after ``since`` to every instance and answered,
        and some of the others."""
        steady = [kind for kind in STEADY if kind != but]

        def answered() -> bool:
            notes = [note for note in read_notes(self.file) if note.sent >= since]
            by_instance = Counter((note.kind, note.instance) for note in notes)
            kinds = {note.kind for note in notes}
            each = all(by_instance[kind, number] for kind in steady for number in range(self.instances))
            return each and kinds.issuperset(OCCASIONAL)

        until(answered, "answers of every kind, of every instance")


@contextmanager
def traffic(
    directory: Path, instances: Sequence[AuthcenterProcess], caller: Caller, login: tuple[str, str]
) -> Iterator[Traffic]:
    """Load while the block runs; at its end every request that was sent is answered. ``directory`` must not exist."""
    directory.mkdir()
    order = Order(
        urls=[one.url for one in instances],
        pids=[one.child.pid for one in instances],
        authorization=caller.headers["Authorization"],
        username=login[0],
        password=login[1],
        notes=str(directory / "notes"),
        held=str(directory / "held"),
        ready=str(directory / "ready"),
    )
    (directory / "order").write_text(json.dumps(asdict(order)))
    command = [sys.executable, "-m", "tests.chaos.generator", str(directory / "order")]
    child = ChildProcess(name="generator", command=command, log=directory / "log", directory=_PROJECT)
    child.start(Path(order.ready).exists)
    going_on = Traffic(Path(order.notes), len(instances), Told(()))
    try:
        yield going_on
    finally:
        code = child.stop()
    assert code == 0, child.log.read_text()
    going_on.told = _told(order)


def _told(order: Order) -> Told:
    held = json.loads(Path(order.held).read_text())
    chains = [Chain(**chain) for chain in held["chains"]]
    notes: list[Note] = [note for note in read_notes(Path(order.notes)) if note.kind != "prepare"]
    return Told(notes, chains, held["living"], held["resting"], held["revoked"])
