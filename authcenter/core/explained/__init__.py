"""The explanations of rules, by what is asked for. ``core.explanations`` joins them."""
