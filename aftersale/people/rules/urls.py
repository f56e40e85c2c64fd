"""Addresses of the rule pages."""

from django.urls import path

from aftersale.people.rules import backtest, edit, page, publish, row

urlpatterns = [
    path("", page.listed, name="rules"),
    path("/<slug:shop_code>/edit", edit.page, name="rule-edit"),
    path("/<slug:shop_code>/edit/lint", edit.lint, name="rule-lint"),
    path("/<slug:shop_code>/edit/check", edit.check, name="rule-check"),
    path("/<slug:shop_code>/edit/rule/<slug:name>", row.page, name="rule-row"),
    path("/<slug:shop_code>/edit/rule/<slug:name>/<slug:how>", row.change, name="rule-change"),
    path("/<slug:shop_code>/do/<slug:what>", publish.do, name="rule-do"),
    path("/<slug:shop_code>/back/<int:release_id>", publish.back, name="rule-back"),
    path("/<slug:shop_code>/diff/<int:release_id>", page.diff, name="rule-diff"),
    path("/<slug:shop_code>/backtest", backtest.start, name="rule-backtest"),
    path("/<slug:shop_code>/backtest/<int:job_id>", backtest.page, name="rule-backtest-result"),
    path("/<slug:shop_code>/book/<slug:name>", page.book, name="rule-book"),
]
