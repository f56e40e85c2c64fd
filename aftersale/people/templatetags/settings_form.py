"""How forms take values back."""

from django import template

register = template.Library()


@register.filter
def yuan(amount_fen: int) -> str:
    """23600 → '236.00'."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
