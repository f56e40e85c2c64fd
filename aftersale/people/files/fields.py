"""What a column of a merchant's export can be, in words. The reader's own list is held equal by a test."""

from django.utils.translation import gettext as _


def fields() -> dict[str, str]:
    """Field → what it is called, most wanted first."""
    return {
        "case_id": _("售后单号"),
        "order_id": _("订单号"),
        "line_id": _("子订单号"),
        "state": _("售后状态"),
        "type": _("售后类型"),
        "amount": _("申请金额"),
        "applied_at": _("申请时间"),
        "reason_text": _("申请原因"),
        "due_at": _("处理截止时间"),
        "goods": _("货物状态"),
        "phase": _("售中或售后"),
        "intervened": _("平台介入"),
        "zero_second": _("极速退款"),
        "finished_at": _("完结时间"),
        "order_state": _("订单状态"),
        "ordered_at": _("下单时间"),
        "paid_at": _("付款时间"),
        "shipped_at": _("发货时间"),
        "signed_at": _("签收时间"),
        "paid": _("实付金额"),
        "net_paid": _("扣除退款后的实付"),
        "total": _("应付总额"),
        "freight": _("运费"),
        "freight_back": _("退回运费"),
        "refunded": _("已退金额"),
        "shipping_info": _("发货信息"),
        "courier": _("快递公司"),
        "tracking_no": _("运单号"),
        "return_courier": _("退货快递公司"),
        "return_tracking_no": _("退货运单号"),
        "returned_at": _("退货时间"),
        "title": _("商品名称"),
        "sku": _("规格"),
        "product_id": _("商品编号"),
        "quantity": _("数量"),
        "region": _("收货省份"),
        "phone": _("收货手机（只留后四位）"),
    }


def kinds() -> dict[str, str]:
    """What one row of the file is."""
    return {
        "refund": _("一行是一张售后单"),
        "order": _("一行是一个订单"),
        "suborder": _("一行是一个子订单"),
        "compensation": _("一行是一笔打款赔付"),
    }
