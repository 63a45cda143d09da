"""base64url, canonical in both directions."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core import base64url


@given(st.binary(max_size=100))
def test_what_is_encoded_decodes(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data
    assert base64url.encode(data) == urlsafe_b64encode(data).decode().rstrip("=")


@given(st.text("ABYZabyz0189-_=+/ \n.\u00e9", max_size=12))
def test_only_what_would_be_encoded_so_decodes(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AA==", "A A", "AA\n", "A+AA", "A/AA", "\u00e9", "AAAAA"])
def test_what_is_not_canonical(text: str) -> None:
    with pytest.raises(ValueError):
        base64url.decode(text)
