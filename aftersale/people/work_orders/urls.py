"""Addresses of work between departments."""

from django.urls import path

from aftersale.people.work_orders import board, claims, opening, order, parcels

urlpatterns = [
    path("", board.page, name="work-orders"),
    path("/live", board.live, name="work-orders-live"),
    path("/parcels", parcels.page, name="parcels-back"),
    path("/parcels/<slug:shop_code>/<str:tracking_no>/<str:act>", parcels.do, name="parcel-do"),
    path("/claims", claims.page, name="carrier-claims"),
    path("/claims/<slug:shop_code>/new", claims.new, name="carrier-claim-new"),
    path("/claims/<slug:shop_code>/<int:claim_id>/<str:state>", claims.answer, name="carrier-claim"),
    path("/<slug:shop_code>/new", opening.page, name="work-order-new"),
    path("/<slug:shop_code>/<int:order_id>", order.page, name="work-order"),
    path("/<slug:shop_code>/<int:order_id>/do/<str:act>", order.do, name="work-order-do"),
]
