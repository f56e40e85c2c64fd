"""Addresses of the settings."""

from django.urls import path

from aftersale.people.settings import pages, people, person, thresholds

urlpatterns = [
    path("", pages.index, name="settings"),
    path("/shops", pages.shops, name="settings-shops"),
    path("/shops/<slug:shop_code>/until", pages.until, name="settings-until"),
    path("/hours/<slug:shop_code>", pages.hours, name="settings-hours"),
    path("/scripts", pages.scripts, name="settings-scripts"),
    path("/health", pages.health, name="settings-health"),
    path("/thresholds/<slug:shop_code>", thresholds.page, name="settings-thresholds"),
    path("/thresholds/<slug:shop_code>/<slug:name>", thresholds.one, name="settings-threshold"),
    path("/people/<slug:shop_code>", people.page, name="settings-people"),
    path("/people/<slug:shop_code>/invite", people.invited, name="settings-invite"),
    path("/people/<slug:shop_code>/withdraw/<int:number>", people.withdraw, name="settings-withdraw"),
    path("/rights/<slug:shop_code>", people.matrix, name="settings-rights"),
    path("/people/<slug:shop_code>/<int:user_id>", person.page, name="settings-person"),
    path("/people/<slug:shop_code>/<int:user_id>/<slug:act>", person.act, name="settings-person-act"),
]
