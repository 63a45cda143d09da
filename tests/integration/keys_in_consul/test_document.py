"""What is not the deployment's own newest document is refused, whoever put it there, and changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.stores.consul.document import MOST_BYTES
from authcenter.stores.ports.keys import KeysRefused
from tests.integration.keys_in_consul.instances import Deployment, Instance, signer
from tests.integration.stores.samples import a_key, recorded

OPEN_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA"
A, B, C = (a_key(kid, retired_at=None, revoked_at=None) for kid in "abc")


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str, str], str]:
    """The newest document with one member changed by hand."""

    def edit(_: str, newest: str) -> str:
        written = json.loads(newest)
        change(written["document"])
        return json.dumps(written)

    return edit


ATTACKS = [
    pytest.param(edited(lambda document: document["keys"].pop()), "HMAC", id="a key taken out"),
    pytest.param(edited(lambda document: document["keys"][0].update(revoked_at=None)), "HMAC", id="rewritten"),
    pytest.param(edited(lambda document: document.update(generation=99)), "HMAC", id="a generation made up"),
    pytest.param(lambda old, newest: newest.replace('"mac":"', '"mac":"0'), "HMAC", id="another MAC"),
    pytest.param(lambda old, newest: '{"mac":"","document":' + newest.partition('"document":')[2], "HMAC", id="no MAC"),
    pytest.param(lambda old, newest: signer(b"x" * 32).sign(9, [A]), "HMAC", id="under another secret"),
    pytest.param(lambda old, newest: signer(issuer="https://b").sign(9, [A]), "another issuer", id="another issuer's"),
    pytest.param(lambda old, newest: old, "is behind", id="an old one, put back"),
    pytest.param(lambda old, newest: signer().sign(2, [A]), "not the one", id="a second one of this generation"),
    pytest.param(lambda old, newest: newest[:-40], "no keys document", id="cut short"),
    pytest.param(lambda old, newest: "", "no keys document", id="empty"),
    pytest.param(lambda old, newest: "[" * 100_000, "no keys document", id="nested without end"),
    pytest.param(lambda old, newest: '{"keys": []}', "no keys document", id="something else"),
]


@pytest.mark.parametrize(("attack", "why"), ATTACKS)
async def test_what_is_not_our_newest_document_changes_nothing(
    deployment: Deployment, instance: Instance, attack: Callable[[str, str], str], why: str
) -> None:
    await instance.keys.add(A)
    old = deployment.text()
    await instance.keys.add(B)
    newest = deployment.text()
    put_there = attack(old, newest)
    deployment.write(put_there)
    with pytest.raises(KeysRefused, match=why):
        await instance.keys.offer(put_there)
    with pytest.raises(KeysRefused, match=why):
        await instance.keys.settle()
    with pytest.raises(KeysRefused, match=why):
        await instance.keys.add(C, recorded(EventKind.KEY_CREATED))
    assert deployment.text() == put_there
    assert await instance.kids() == ["a", "b"]
    assert await instance.events() == []

    assert await instance.keys.restore(recorded(EventKind.KEYS_RESTORED)) == 3
    assert deployment.document().keys == [A, B]
    await instance.keys.add(C, recorded(EventKind.KEY_CREATED))
    assert await instance.events() == ["key.restored", "key.created"]
    with pytest.raises(Conflict, match="nothing to restore"):
        await instance.keys.restore(recorded())


async def test_bytes_that_are_no_text_are_refused(instance: Instance) -> None:
    await instance.keys.add(A)
    with pytest.raises(KeysRefused, match="no keys document"):
        await instance.keys.offer(b"\xff\xfe{".decode(errors="surrogateescape"))


@pytest.mark.parametrize("remembered_by", ["its copy on disk", "the record"])
async def test_an_old_document_is_refused_by_a_process_that_has_just_started(
    deployment: Deployment, instance: Instance, tmp_path: Path, remembered_by: str
) -> None:
    await instance.keys.add(A)
    old = deployment.text()
    await instance.keys.add(B)
    state_dir = tmp_path / "two"
    if remembered_by == "its copy on disk":
        Instance(deployment, state_dir).copy.keep(deployment.text(), 2)
    deployment.write(old)
    async with Instance(deployment, state_dir) as started:
        assert await started.kids() == ["a", "b"]
        with pytest.raises(KeysRefused, match="is behind 2"):
            await started.keys.add(C)


async def test_a_root_secret_that_comes_second_still_verifies(deployment: Deployment, tmp_path: Path) -> None:
    async with Instance(deployment, tmp_path / "one") as instance:
        await instance.keys.add(A)
    newer = signer().macs
    both = type(newer)((*signer(b"n" * 32).macs.keys, *newer.keys))
    assert type(signer())(both, signer().issuer).open(deployment.text()).keys == [A]
    with pytest.raises(KeysRefused, match="root secret is gone"):
        signer(b"n" * 32).open(deployment.text())


@pytest.mark.parametrize(
    ("key", "why"),
    [
        pytest.param(a_key("b", private_pem=OPEN_PEM), "not encrypted", id="a private key in the open"),
        pytest.param(a_key("b", public_jwk={"x": "A" * MOST_BYTES}), "bytes long, and Consul takes", id="too long"),
    ],
)
async def test_what_must_not_or_cannot_be_in_consul_is_refused_before_it_is_sent(
    deployment: Deployment, instance: Instance, key: Any, why: str
) -> None:
    await instance.keys.add(A)
    before = deployment.text()
    with pytest.raises(Conflict, match=why):
        await instance.keys.add(key, recorded())
    assert deployment.text() == before
    assert (await instance.kids(), await instance.events()) == (["a"], [])


async def test_a_document_just_short_enough_is_taken(deployment: Deployment, instance: Instance) -> None:
    await instance.keys.add(A)
    room = MOST_BYTES - len(deployment.text().encode())
    await instance.keys.add(a_key("b", public_jwk={"x": "A" * (room - 5000)}, private_pem=""))
    assert await instance.kids() == ["a", "b"]


def test_the_document_holds_private_keys_only_encrypted() -> None:
    with pytest.raises(Conflict):
        signer().sign(1, [a_key(private_pem=OPEN_PEM)])
