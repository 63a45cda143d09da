"""JWS compact serialization: taken apart strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.base64url import encode
from authcenter.jose.jws import MAX_TOKEN_CHARACTERS, MalformedJws, read_object, split, write_object

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
objects = st.dictionaries(texts, st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts, max_size=5)


@given(objects)
def test_what_is_written_is_read_again(value: dict[str, object]) -> None:
    assert read_object(write_object(value)) == value


@given(objects.filter(lambda header: "crit" not in header), objects, st.binary(max_size=70))
def test_a_jws_is_taken_apart(header: dict[str, object], payload: dict[str, object], signature: bytes) -> None:
    parts = [write_object(header), write_object(payload), encode(signature)]
    jws = split(".".join(parts))
    assert (jws.header, jws.claims(), jws.signature) == (header, payload, signature)
    assert jws.signing_input == ".".join(parts[:2]).encode()


@given(st.text(max_size=100))
def test_any_text_is_a_jws_or_malformed(text: str) -> None:
    try:
        split(text)
    except MalformedJws:
        return
    assert text.count(".") == 2


def test_a_token_as_long_as_allowed_is_looked_at_and_a_longer_one_is_not() -> None:
    head = write_object({}) + "."
    longest = head + "A" * (MAX_TOKEN_CHARACTERS - len(head) - 1) + "."
    assert split(longest)
    with pytest.raises(MalformedJws, match="too long"):
        split(longest + "A")


@pytest.mark.parametrize("member", ['"a":1,"a":1', '"crit":["b64"]', '"a":{"b":1,"b":2}', '"a":-Infinity'])
def test_headers_that_are_refused(member: str) -> None:
    with pytest.raises(MalformedJws):
        split(f"{encode(b'{' + member.encode() + b'}')}.e30.")
