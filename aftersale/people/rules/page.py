"""`/rules`: the books; one book with its rules, versions and what is being tried; what a version changed."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from aftersale.cases.access import Shop, shops_of
from aftersale.cases.rows import moment, record_connection
from aftersale.people.rules import shown
from aftersale.people.rules.changed import in_words
from aftersale.publishing import edits, live, release, trial
from aftersale.rights import RIGHTS, needs, shops_with
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.difference import changes

RELEASES_SHOWN = 20


@needs("rule_read")
@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """`/rules?shop=`: all books, and what the rules of the refund book did lately."""
    shops = shops_with(request.user, "rule_read")
    chosen = [shop for shop in shops if shop.code == request.GET.get("shop")]
    context: dict[str, Any] = {
        "here": "rules",
        "shops": shops,
        "shop": chosen[0] if chosen else shops[0],
        "books": [
            books.book(name) for name in sorted(books.shipped(), key=lambda name: (name != live.BOOK, name))
        ],
    }
    return render(request, "people/rules/list.html", context)


@needs("rule_read")
@require_GET
def book(request: HttpRequest, shop_code: str, name: str) -> HttpResponse:
    """A book in sentences; with `figures=1` what its rules did lately."""
    shop = shop_of(request, shop_code)
    if name not in books.shipped():
        raise Http404
    context: dict[str, Any] = {"here": "rules", "shop": shop, "days": shown.DAYS, "book": books.book(name)}
    if name == live.BOOK:
        context |= _deciding(shop)
    figures = shown.figures([shop], moment()) if "figures" in request.GET and name == live.BOOK else {}
    context["rules"] = [(rule, figures.get(rule.name)) for rule in shown.told(context["book"])]
    if figures and request.GET.get("order") == "cases":
        context["rules"].sort(key=lambda pair: -(pair[1].cases if pair[1] else 0))
    context |= {"asked": "figures" in request.GET, "total": list(figures.values()), "may": rights_in(shop)}
    return render(request, "people/rules/book.html", context)


def _deciding(shop: Shop) -> dict[str, Any]:
    """What decides the shop's cases, which versions did, and what is being changed and tried."""
    conn = record_connection()
    text = live.live_text(conn, shop.id)
    tried = next((one for one in trial.drafts(conn, shop.code) if one.ended_at is None), None)
    return {
        "deciding": True,
        "book": shown.parsed(text) or books.book(live.BOOK),
        "live": live.live_release(conn, shop.id),
        "releases": release.releases(conn, shop.id)[:RELEASES_SHOWN],
        "edit": edits.edit_of(conn, shop.id),
        "tried": tried,
    }


@needs("rule_read")
@require_GET
def diff(request: HttpRequest, shop_code: str, release_id: int) -> HttpResponse:
    """What a release changed against the one before it, or against `from`."""
    shop = shop_of(request, shop_code)
    conn = record_connection()
    new = release.release_of(conn, shop.id, release_id)
    found = release.releases(conn, shop.id)
    earlier = [one for one in found if one.id < release_id]
    asked = request.GET.get("from", "")
    old = next((one for one in found if str(one.id) == asked), earlier[0] if earlier else None)
    if new is None:
        raise Http404
    told = changes(old.text, new.text, (old.values, new.values)) if old else ()
    told = in_words(told, shown.parsed(new.text))
    context = {"here": "rules", "shop": shop, "old": old, "new": new, "changes": told, "releases": found}
    return render(request, "people/rules/diff.html", context)


def shop_of(request: HttpRequest, shop_code: str) -> Shop:
    """The person's shop; its role was asked at the door."""
    shop = next((one for one in shops_of(request.user) if one.code == shop_code), None)
    if shop is None:
        raise Http404
    return shop


def rights_in(shop: Shop) -> dict[str, bool]:
    """What this person may do with the rules of this shop."""
    return {name: shop.role in RIGHTS[f"rule_{name}"] for name in ("edit", "publish")}
