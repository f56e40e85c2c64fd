"""Metric formulas: exact arithmetic on given figures, and definitions from which SQL and Python count rows alike.

Rates are Fractions, None where the denominator is empty. A parameter named like a setting of the book `metrics`
gets the setting when a caller leaves it out. `definition`, `counting` and `querying` turn
`rulebooks/metric_definitions.yaml` into figures over rows.
"""
