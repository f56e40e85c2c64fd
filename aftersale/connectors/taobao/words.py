"""TOP's words in ours. A word that is not here is an error that names it, never a guess (R-001, R-004)."""

UNSHIPPED = frozenset({"TRADE_NO_CREATE_PAY", "PAY_PENDING", "WAIT_BUYER_PAY", "WAIT_SELLER_SEND_GOODS"})

ORDER_STATES = {
    "TRADE_NO_CREATE_PAY": "unpaid",
    "PAY_PENDING": "unpaid",
    "WAIT_BUYER_PAY": "unpaid",
    "WAIT_SELLER_SEND_GOODS": "paid",
    "SELLER_CONSIGNED_PART": "part_shipped",
    "WAIT_BUYER_CONFIRM_GOODS": "shipped",
    "TRADE_BUYER_SIGNED": "signed",
    "TRADE_FINISHED": "finished",
    "TRADE_CLOSED": "closed",
    "TRADE_CLOSED_BY_TAOBAO": "closed",
}

REFUND_STATES = {
    "WAIT_SELLER_AGREE": "applied",
    "WAIT_BUYER_RETURN_GOODS": "return_agreed",
    "WAIT_SELLER_CONFIRM_GOODS": "return_shipped",
    "SELLER_REFUSE_BUYER": "seller_refused",
    "CLOSED": "closed",
    "SUCCESS": "refunded",
    # exchanges whose goods are on the way back or here, so that the next step is the seller's
    "WAIT_SELLER_CONSIGN_GOODS": "return_shipped",
    "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS": "return_shipped",
    "EXCHANGE_TRANSFORM_TO_REFUND": "return_shipped",
}

# What each dispute type is called here; the two of None depend on the order and on the reason.
AFTERSALE_TYPES: dict[str, str | None] = {
    "REFUND": None,
    "OTHERS": None,
    "REFUND_AND_RETURN": "return_refund",
    "TMALL_EXCHANGE": "exchange",
    "TAOBAO_EXCHANGE": "exchange",
    "REPAIR": "repair",
    "RESHIPPING": "resend",
}
WITHOUT_MONEY = frozenset({"exchange", "repair", "resend"})

RECEIVED = {"BUYER_NOT_RECEIVED": False, "BUYER_RECEIVED": True, "BUYER_RETURNED_GOODS": True}

PHASES = frozenset({"onsale", "aftersale"})

# cs_status: 1 not needed, 7 withdrawn; everything else means that the platform's staff are asked or at work.
INTERVENED = {number: number not in (1, 7) for number in range(1, 12)}

OPERATION_LIMITS = {"cannot_refuse": "cannot_refuse", "refund_onweb": "web_only"}

MONEY_ONLY_REASONS = {
    "freight": "freight_refund",
    "price_drop": "price_diff_refund",
    "deposit": "deposit_refund",
}

REASONS = {
    "不想要了": "no_longer_want",
    "不想要": "no_longer_want",
    "多拍/不想要": "no_longer_want",
    "多拍/拍错/不想要": "no_longer_want",
    "我不想要了": "no_longer_want",
    "拍错了": "wrong_purchase",
    "拍错": "wrong_purchase",
    "拍错/多拍": "wrong_purchase",
    "信息填写错误": "wrong_purchase",
    "没秒到": "missed_seckill",
    "没抢到优惠": "missed_seckill",
    "改地址": "address_change",
    "地址/电话信息填写错误": "address_change",
    "收货地址拍错": "address_change",
    "活动原因": "activity",
    "没用/少用优惠": "activity",
    "没用/少用/错用优惠": "activity",
    "降价": "price_drop",
    "退差价": "price_drop",
    "商品降价": "price_drop",
    "不喜欢": "dislike",
    "不喜欢/效果不好": "dislike",
    "大小/尺寸不合适": "dislike",
    "7天无理由退换货": "seven_day_no_reason",
    "七天无理由退换货": "seven_day_no_reason",
    "七天无理由": "seven_day_no_reason",
    "未收到货": "not_received",
    "没收到货": "not_received",
    "快递一直未送到": "not_received",
    "物流无轨迹": "no_tracking",
    "快递无物流跟踪记录": "no_tracking",
    "空包裹": "missing_item",
    "质量问题": "quality",
    "功能/效果不符": "quality",
    "变质/发霉": "spoiled",
    "变质": "spoiled",
    "生产日期/保质期问题": "spoiled",
    "瑕疵": "defect",
    "做工瑕疵": "defect",
    "污渍破损": "stain_damage",
    "商品破损/污渍": "stain_damage",
    "快递破损": "courier_damage",
    "包装/商品破损": "courier_damage",
    "拉肚子/肚子疼": "health",
    "食用后不适": "health",
    "褪色过敏": "fade_allergy",
    "褪色/过敏": "fade_allergy",
    "发错货": "wrong_item",
    "卖家发错货": "wrong_item",
    "口味/外观不一致": "variant_mismatch",
    "颜色/款式/图案与描述不符": "variant_mismatch",
    "少件/漏发": "missing_item",
    "少件": "missing_item",
    "赠品漏发": "gift_missing",
    "描述不符": "description_mismatch",
    "商品与描述不符": "description_mismatch",
    "货不对版": "description_mismatch",
    "假货": "fake",
    "假冒品牌": "fake",
    "缺货": "out_of_stock",
    "卖家缺货": "out_of_stock",
    "未按时发货": "late_ship",
    "未按约定时间发货": "late_ship",
    "退运费": "freight",
    "退定金": "deposit",
}


def reason_code(text: str | None) -> str | None:
    """The R-004 code of a reason as the buyer chose it; 'other' for words we do not know, None for none."""
    return REASONS.get(text.strip(), "other") if text and text.strip() else None
