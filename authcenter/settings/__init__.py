"""What operators set: boot settings, which need a restart, and the hot policy, which does not.

Owns the names, defaults, ranges and wording of both (CONTRACT "Boot settings", "Hot policy"), where they are read
from, and the rule that a policy which does not validate changes nothing. Every value is frozen; the only thing that
changes is which policy ``LivePolicy.current`` points at.

Must not know who uses a setting: no store, no log, no metric, no HTTP. Problems are returned or raised as lines of
text, so that the command line, a log and a test word them the same way.
"""
