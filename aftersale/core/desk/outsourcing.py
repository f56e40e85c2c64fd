"""Contracts with providers of agents (R-287)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contract:
    """`reasons`: what the record lacks or what is not offered."""

    accepted: bool
    reasons: tuple[str, ...]
    payment: str
    same_day_start: bool


def outsourcing_contract(
    *,
    pricing: str | None = None,
    form: str | None = None,
    provider_vetted: bool | None = None,
    outsourcing_pricing: tuple[str, ...],
    outsourcing_forms: tuple[str, ...],
) -> Contract:
    """Priced by inquiries, performance or agents; for pre-sales, after-sales, a promotion or a while; paid by the day,
    may start the same day; the platform vets the provider (R-287)."""
    reasons = (
        *(() if pricing in outsourcing_pricing else ("pricing_not_offered",)),
        *(() if form in outsourcing_forms else ("form_not_offered",)),
        *(() if provider_vetted is not False else ("provider_not_vetted",)),
    )
    return Contract(not reasons, reasons, "daily", True)
