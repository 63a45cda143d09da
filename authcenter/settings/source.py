"""Where the hot policy is written: the port that the file and Consul fill."""

from collections.abc import AsyncIterator
from typing import Protocol


class PolicySource(Protocol):
    """A place that holds a policy document."""

    @property
    def name(self) -> str:
        """A short word for logs and for the label ``source`` of metrics."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """The document as it is, then each different one. Never ends and never raises because of the place.

        Nothing is told while the place is silent, or the document absent: that is "unknown", never "no policy".
        """
        ...
