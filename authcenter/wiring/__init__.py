"""The composition root: the one place that knows every part and joins them.

``record`` opens the stores, ``policy`` the places of the hot policy, ``core`` joins what works on them (the command
line needs no more), ``service`` joins the HTTP service around that.
"""
