"""The command line: ``authcenter``. One noun a file; reads arguments, calls a service, prints.

Decides nothing that another caller would have to decide again. Errors are one line on stderr and an exit code: 0 done,
1 a check failed, 2 wrong usage or settings.
"""
