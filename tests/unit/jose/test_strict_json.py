"""JSON objects that two readers cannot read differently."""

import pytest

from authcenter.core.base64url import encode
from authcenter.jose.jws import MalformedJws, read_object
from authcenter.jose.strict_json import RepeatedMember, parse_object

REPEATED = [
    pytest.param(b'{"a":1,"a":1}', "a", id="the same value twice"),
    pytest.param(b'{"b":0,"a":1,"c":{},"a":2}', "a", id="among others"),
    pytest.param(b'{"x":[{"y":{"a":1,"\\u0061":2}}]}', "a", id="deep inside, spelled differently"),
]


@pytest.mark.parametrize(("data", "name"), REPEATED)
def test_a_repeated_member_is_named(data: bytes, name: str) -> None:
    with pytest.raises(RepeatedMember) as caught:
        parse_object(data)
    assert caught.value.name == name
    with pytest.raises(MalformedJws) as malformed:
        read_object(encode(data))
    assert malformed.value.repeated == name


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 9_999, b'{"a":NaN}', b'{"a":' + b"9" * 9_999 + b"}"]
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_object(data)
    with pytest.raises(MalformedJws) as malformed:
        read_object(encode(data))
    assert malformed.value.repeated == ""


def test_members_of_different_objects_may_share_a_name() -> None:
    assert parse_object(b'{"a":{"a":[{"a":1},{"a":2}]}}') == {"a": {"a": [{"a": 1}, {"a": 2}]}}
