"""``kill -9`` of commands, at random instants and at every step of their transaction: what was acknowledged is there,
what was not is there whole or not at all, and nothing is there without its audit row."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from authcenter.wiring.core import Core
from tests.chaos.caller import Caller
from tests.chaos.commands import CommandLine, Done
from tests.chaos.deployment import Deployment

ROUNDS, SEED = 6, 20_260
CAROL = "carol"
_numbers = count()


@dataclass(frozen=True, slots=True)
class Act:
    """A command that makes something new each time.

    Attributes:
        words: Of the command; ``{n}`` is a number of its own.
        table: Into which it writes what it makes.
        adds: What of it is there afterwards, as ``contents`` counts it; all of that or nothing.
        works: Whether what an acknowledged command made can be used.
    """

    words: str
    table: str
    adds: Counter[str]
    works: Callable[[Deployment, int, Done], bool]


def password(number: int) -> str:
    return f"a long passphrase, number {number}"


def client_works(deployment: Deployment, number: int, done: Done) -> bool:
    caller = Caller(deployment.server.url, f"client-{number}", json.loads(done.stdout)["client_secret"])
    return caller.active(caller.own_token())


def user_works(deployment: Deployment, number: int, _: Done) -> bool:
    return "access_token" in deployment.patient.sign_in(f"user-{number}", password(number))


def key_works(deployment: Deployment, _: int, done: Done) -> bool:
    """Each lies in the ring, and opens."""
    kid = json.loads(done.stdout)["kid"]

    async def opens(core: Core) -> bool:
        await core.keys.reload()
        return core.keys.ring.keys[kid].private is not None

    return bool(deployment.on_record(opens))


ACTS = {
    "client creation": Act(
        "clients create --id client-{n} --grant client_credentials --audience https://{n}.example",
        "clients",
        Counter({"clients": 1, "secrets": 1, "resources": 1, "client.created": 1}),
        client_works,
    ),
    "user creation": Act(
        "users create --username user-{n} --email user-{n}@example.com --password-stdin",
        "users",
        Counter({"users": 1, "user.created": 1}),
        user_works,
    ),
    "key rotation": Act("keys rotate --now", "signing_keys", Counter({"keys": 1, "key.created": 1}), key_works),
}


async def contents(core: Core) -> Counter[str]:
    """What there is: things, and audit rows by their event."""
    stores = core.stores
    clients = await stores.clients.list_clients()
    return Counter(
        {
            "clients": len(clients),
            "secrets": sum(len(client.secrets) for client in clients),
            "resources": len(await stores.resources.list_resources()),
            "users": len(await stores.users.list_users()),
            "keys": len(await stores.keys.list_keys()),
        }
    ) + Counter(row.event for row in await stores.audit.rows())


@pytest.fixture(scope="module")
def commands(deployment: Deployment) -> Iterator[CommandLine]:
    with CommandLine(deployment.directory, deployment.server.environment) as commands:
        made = "users create --username carol --email carol@example.com --password-stdin"
        assert commands.run(*made.split(), stdin=password(0)).acknowledged
        yield commands


def run(commands: CommandLine, act: Act, *, kill_after: float | None = None) -> tuple[int, Done]:
    number = next(_numbers)
    words = act.words.format(n=number).split()
    return number, commands.run(*words, "--json", stdin=password(number), kill_after=kill_after)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_at_random_instants(deployment: Deployment, commands: CommandLine, act: Act) -> None:
    draw = random.Random(SEED)
    number, whole = run(commands, act)
    assert whole.acknowledged, whole
    acknowledged, killed, shortest = [(number, whole)], 0, whole.seconds
    # The last is too early for any: the test is not to pass without a death.
    for share in [*(draw.uniform(0.5, 1.1) for _ in range(ROUNDS)), 0.5]:
        before = deployment.on_record(contents)
        number, done = run(commands, act, kill_after=shortest * share)
        assert done.killed or done.acknowledged, done
        added = deployment.on_record(contents) - before
        assert added == act.adds or (done.killed and not added)
        killed += done.killed
        if done.acknowledged:
            acknowledged.append((number, done))
            shortest = min(shortest, done.seconds)
    assert killed
    deployment.audit()
    deployment.kill()
    assert all(act.works(deployment, number, done) for number, done in acknowledged)


STEPS = [("before insert", False), ("after insert", False), ("before do_commit", False), ("after do_commit", True)]


@pytest.mark.parametrize(("step", "there"), STEPS)
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_at_each_step(deployment: Deployment, commands: CommandLine, act: Act, step: str, there: bool) -> None:
    step = f"{step} {act.table}" if "insert" in step else step
    before = deployment.on_record(contents)
    deployment.arm(step)
    _, done = run(commands, act)
    assert done.killed
    deployment.require_sprung(step)
    assert deployment.on_record(contents) - before == (act.adds if there else Counter())
    deployment.audit()
    assert run(commands, act)[1].acknowledged


PASSWORD_STEPS = [
    ("after insert revocation_cuts", False),
    ("before do_commit", False),
    ("after do_commit", True),
]


@pytest.mark.parametrize(("step", "there"), PASSWORD_STEPS)
def test_a_password_change(deployment: Deployment, commands: CommandLine, step: str, there: bool) -> None:
    """With the new password comes the end of all tokens from before; with the old one they live on."""
    old, new = password(next(_numbers)), password(next(_numbers))
    change = ("users", "set-password", CAROL, "--password-stdin")
    assert commands.run(*change, stdin=old).acknowledged
    caller = deployment.patient
    tokens = caller.sign_in(CAROL, old)
    before = deployment.events("user.password_set")

    deployment.arm(step)
    assert commands.run(*change, stdin=new).killed
    deployment.require_sprung(step)

    deployment.kill()
    assert deployment.events("user.password_set") == before + there
    assert [caller.active(tokens[kind]) for kind in ("access_token", "refresh_token")] == [not there] * 2
    refused = caller.post("/oauth/token", grant_type="password", username=CAROL, password=old if there else new)
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")
    assert caller.sign_in(CAROL, new if there else old)
