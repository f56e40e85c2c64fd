"""How the pages of files and jobs show figures."""

from django import template

register = template.Library()


@register.filter
def count(number: int | None) -> str:
    """12345 → '12,345'; unknown → '—'."""
    return "—" if number is None else f"{number:,}"
