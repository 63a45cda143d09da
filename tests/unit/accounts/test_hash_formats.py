"""Which hashes are taken over from elsewhere."""

import argon2
import bcrypt
import pytest

from authcenter.accounts.hash_formats import is_supported_hash

ARGON2 = argon2.PasswordHasher(1, 8, 1).hash(b"x")
BCRYPT = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()
TAIL = "$" + "$".join(ARGON2.split("$")[4:])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ARGON2, id="argon2id"),
        pytest.param(argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash(b"x"), id="argon2i"),
        pytest.param(f"$argon2i$m=8,t=1,p=1{TAIL}", id="argon2 of the first version"),
        pytest.param(f"$argon2id$v=19$m=1048576,t=4,p=16{TAIL}", id="argon2 at the limit"),
        pytest.param(BCRYPT, id="2b"),
        pytest.param(BCRYPT.replace("$2b$", "$2y$"), id="2y"),
        pytest.param(BCRYPT.replace("$2b$", "$2a$"), id="2a"),
        pytest.param(BCRYPT.replace("$04$", "$16$"), id="bcrypt at the limit"),
    ],
)
def test_a_known_hash_of_bearable_cost_is_supported(text: str) -> None:
    assert is_supported_hash(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("password", id="clear text"),
        pytest.param(ARGON2.replace("argon2id", "argon2d"), id="argon2d"),
        pytest.param(f"$argon2id$v=19$m=1048577,t=1,p=1{TAIL}", id="too much memory"),
        pytest.param(f"$argon2id$v=19$m=1048576,t=5,p=1{TAIL}", id="too much memory over all passes"),
        pytest.param(f"$argon2id$v=19$m=8,t=1000000,p=1{TAIL}", id="too many passes"),
        pytest.param(f"$argon2id$v=19$m=4096,t=1,p=17{TAIL}", id="too many lanes"),
        pytest.param(f"$argon2id$v=19$m=8,t=1,p=2{TAIL}", id="less memory than the lanes need"),
        pytest.param(f"$argon2id$v=19$m=08,t=1,p=1{TAIL}", id="leading zero"),
        pytest.param(f"$argon2id$v=20$m=8,t=1,p=1{TAIL}", id="unknown version"),
        pytest.param("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHR$aGFzaGhhc2hoYXNoaGFzaA", id="spare bits"),
        pytest.param(ARGON2 + "\n", id="line break"),
        pytest.param(BCRYPT.replace("$04$", "$17$"), id="bcrypt too dear"),
        pytest.param(BCRYPT.replace("$04$", "$03$"), id="bcrypt too cheap"),
        pytest.param(BCRYPT.replace("$2b$", "$2x$"), id="2x"),
        pytest.param(BCRYPT[:-1], id="bcrypt cut short"),
        pytest.param("{SSHA}c2FsdA==", id="SSHA"),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_supported_hash(text)


def test_every_hash_the_libraries_make_is_supported() -> None:
    assert all(is_supported_hash(argon2.PasswordHasher(1, 8, 1).hash(b"x")) for _ in range(50))
    assert all(is_supported_hash(bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()) for _ in range(50))
