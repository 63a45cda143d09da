"""Rate limits: who has asked too often, or failed too often, and for how long that lasts.

Owns what is counted, under which key, and what happens while the shared counters are gone. ``LoginLimits`` asks the
shared counters before each password is hashed: exact over all instances. ``SettledLimit`` is for the hot path: counted
in the process, summed with the others five times a second. Knows the counters only by their port, and nothing of
passwords, clients or HTTP.
"""
