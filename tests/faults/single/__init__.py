"""Faults injected one at a time; docs/faults.md says which of them is asserted where."""
