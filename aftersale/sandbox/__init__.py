"""A marketplace, a courier and a warehouse that speak the real wire protocols, on a clock of their own.

It knows nothing of the product (it imports core only) and keeps an append-only money ledger of what it paid.
"""
