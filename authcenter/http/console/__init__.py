"""The operators' console: pages under ``/console`` for people with the role ``operator`` who proved two factors.

Owns what those pages show and which acts they call. It must not know how a store keeps anything, and has no act of its
own: what it does, ``accounts``, ``clients``, ``keys`` and ``tokens`` do, the operator being the actor in the audit log.
"""
