"""Read-through caches in front of the record. Owns no truth: what it holds may be up to its lifetime old."""
