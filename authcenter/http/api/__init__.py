"""JSON for first-party apps (``/api/v1/auth``): thin handlers, whose refusals are problem documents (RFC 9457).

Knows what the pages know of accounts and sessions, and nothing of pages.
"""
