"""Signing in by an identity elsewhere: what a provider is asked, what is believed of its answers, whose account it is.

Must not know pages, cookies or stores: attempts come with their secrets, requests go out through a guarded port.
"""
