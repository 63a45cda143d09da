"""Signing keys in Consul: one authenticated document, changed by compare-and-set.

Owns the form of the document, when one is refused, and the copy of it on disk. Must not know who follows it, nor what
an operator hears of it. Consul itself is asked through ``settings.consul_kv``.
"""
