"""Records as bytes and back."""

from typing import Any

import pytest

from authcenter.core.client import Client, ClientSecret
from authcenter.core.resource import Resource
from authcenter.core.user import User
from authcenter.stores.cached.codec import Loaded, RecordCodec, keeps_no_password_hash
from tests.integration.stores.samples import SOME_TIME, a_bare_client, a_client, a_resource, a_user

RECORDS = [
    pytest.param(Client, a_client(), id="client"),
    pytest.param(Client, a_bare_client(), id="bare client"),
    pytest.param(Client, None, id="no client"),
    pytest.param(Resource, a_resource(), id="resource"),
    pytest.param(User, a_user(), id="user"),
]


@pytest.mark.parametrize(("shape", "value"), RECORDS)
def test_what_was_written_is_read(shape: type[Any], value: Any) -> None:
    codec, loaded = RecordCodec(shape), Loaded(value, 1.5, 2.25)
    assert codec.read(codec.write(loaded)) == loaded


FOREIGN = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\x80\x04.", id="a pickle"),
    pytest.param(b"[1,2,{}]", id="a record of fewer fields"),
    pytest.param(RecordCodec(User).write(Loaded(a_user(), 1, 2)), id="a record of another kind"),
    pytest.param(b'["1",2,null]', id="an instant as text"),
]


@pytest.mark.parametrize("written", FOREIGN)
def test_what_is_not_of_the_shape_is_not_read(written: bytes) -> None:
    assert RecordCodec(Client).read(written) is None


def test_a_client_with_a_secret_from_outside_stays_in_the_process() -> None:
    made = ClientSecret("00112233.aa", SOME_TIME)
    brought = ClientSecret("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", SOME_TIME)
    assert keeps_no_password_hash(a_client(secrets=(made,)))
    assert keeps_no_password_hash(a_bare_client())
    assert not keeps_no_password_hash(a_client(secrets=(made, brought)))
