"""What operators see: logs and metrics. Knows the vocabulary of ``core``, and no other part of the server."""
