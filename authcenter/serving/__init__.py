"""Several processes as one service: a supervisor, its workers, and what they tell each other.

Owns the listening sockets, the lives of the workers, and the operators' view of all of them. Must not know what a
worker serves: that is a command it runs, and reports it reads. Each worker has one end of an unnamed socket pair, the
supervisor the other: nobody else can reach it, nothing of it stays in the file system, and its end is noticed at once
on both sides, however the other one died.
"""
