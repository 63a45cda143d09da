"""Whether anything speaks HTTP on a port, whatever it says."""

import socket

# What every server refuses by itself, without asking those behind it.
_MALFORMED = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"


def speaks_http(port: int) -> bool:
    """Whether a request to 127.0.0.1 is answered, be it with a refusal."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(_MALFORMED)
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False
