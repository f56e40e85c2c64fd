"""Is this push from our warehouse? Standard Webhooks signature over the body."""

from aftersale.connectors.standard_webhooks import verify

__all__ = ["verify"]
