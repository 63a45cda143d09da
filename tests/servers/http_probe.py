"""Whether anything speaks HTTP on a port, whatever it says."""

from http.client import HTTPConnection, HTTPException


def speaks_http(port: int) -> bool:
    """Whether a request to 127.0.0.1 is answered, be it with a refusal."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
