"""What is sold, why it comes back, and where buyers live: small made-up tables of the field's proportions."""

# title, sku, price in fen, perishable
GOODS = (
    ("加厚保暖棉拖鞋 男女款", "SLIP-42-GREY", 3990, False),
    ("纯棉四件套 1.8 米床", "BED-180-BLUE", 25900, False),
    ("不锈钢保温杯 500 毫升", "CUP-500-WHITE", 8900, False),
    ("儿童羽绒服 连帽", "DOWN-130-RED", 32900, False),
    ("无线蓝牙耳机 降噪款", "EAR-PRO-BLACK", 19900, False),
    ("洗衣液 3 千克装", "WASH-3000", 4590, False),
    ("新疆红枣 500 克", "DATE-500", 2980, True),
    ("海南芒果 5 斤装", "MANGO-5", 4980, True),
    ("女士针织开衫", "KNIT-M-BEIGE", 15900, False),
    ("运动鞋 透气网面", "RUN-41-WHITE", 22900, False),
    ("护手霜礼盒", "HAND-BOX", 6900, False),
    ("电热水壶 1.7 升", "KETTLE-17", 12900, False),
    ("沙发垫 四季通用", "SOFA-90", 9900, False),
    ("手机壳 防摔", "CASE-15-CLEAR", 1990, False),
    ("坚果礼包 1.5 千克", "NUT-1500", 11800, False),
    ("扫地机器人", "ROBOT-X2", 169900, False),
)

REGIONS = (
    "广东省", "浙江省", "江苏省", "山东省", "河南省", "四川省", "湖北省", "湖南省", "上海", "北京",
    "福建省", "河北省", "安徽省", "辽宁省", "陕西省", "重庆", "江西省", "广西壮族自治区", "新疆维吾尔自治区",
)  # fmt: skip

COURIERS = ("yuantong", "zhongtong", "yunda", "shentong", "jtexpress", "shunfeng")

# what a promotion day brings, in shares
KINDS = {
    "unshipped": 0.53,
    "shipped": 0.16,
    "return": 0.24,
    "exchange": 0.03,
    "freight": 0.015,
    "price": 0.015,
    "repair": 0.005,
    "resend": 0.005,
}

DISPUTE_TYPES = {
    "unshipped": "REFUND",
    "shipped": "REFUND",
    "freight": "REFUND",
    "price": "REFUND",
    "return": "REFUND_AND_RETURN",
    "exchange": "TMALL_EXCHANGE",
    "repair": "REPAIR",
    "resend": "RESHIPPING",
}

REASONS = {
    "unshipped": {
        "不想要了": 40, "拍错了": 18, "没秒到": 8, "改地址": 10, "活动原因": 9,
        "未按约定时间发货": 7, "缺货": 3, "其他": 5,
    },
    "shipped": {
        "不想要了": 30, "未收到货": 28, "快递无物流跟踪记录": 10, "快递破损": 6,
        "少件/漏发": 8, "不喜欢": 8, "降价": 6, "其他": 4,
    },
    "return": {
        "七天无理由退换货": 42, "不喜欢": 14, "大小/尺寸不合适": 12, "质量问题": 10, "描述不符": 6,
        "发错货": 4, "瑕疵": 4,
        "污渍破损": 3, "褪色/过敏": 1, "假货": 1, "生产日期/保质期问题": 1, "口味/外观不一致": 2,
    },
    "exchange": {"大小/尺寸不合适": 70, "发错货": 20, "瑕疵": 10},
    "freight": {"退运费": 1},
    "price": {"退差价": 1},
    "repair": {"质量问题": 1},
    "resend": {"少件/漏发": 3, "赠品漏发": 1},
}  # fmt: skip

# how the parcel of an application goes on, by kind
ROUTES = {
    "unshipped": {"signed_self": 5, "signed_station": 3, "signed_other": 1},
    "shipped": {
        "signed_self": 30, "signed_station": 16, "signed_other": 6,
        "stalled": 16, "refused": 14, "turned_back": 6,
        "silent": 6, "lost": 2, "damaged": 2, "out_of_area": 2,
    },
    "other": {"signed_self": 60, "signed_station": 28, "signed_other": 12},
}  # fmt: skip
