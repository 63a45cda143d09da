"""The real servers that tests start, kill, freeze and restart, each as a child of the test process.

Owns: finding or fetching their binaries, free ports, waiting until they answer, and ending them. Nothing here may
outlive the test process, not even one that was killed with SIGKILL, and no two test processes may meet on a port.
Knows nothing of what the tests check; reads nothing of the package, which it starts only through its command.
"""
