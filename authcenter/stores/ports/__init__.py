"""The Protocols that services are written against, each shaped by its user.

``find`` may return None, ``add`` raises ``Conflict``, ``replace`` answers False when somebody else wrote first; what
may happen only once is one method that answers bool. Every method may raise ``StoreUnavailable``. A write takes its
``Consequences`` (audit events, cuts) and commits them in its own transaction.
"""
