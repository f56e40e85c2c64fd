"""Every known layout, recognised by its header and read into our records; and layouts that nobody knows."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from aftersale.core.records import Application, Order
from aftersale.intake.files.layouts import known_layouts
from aftersale.intake.files.mapping import mapping_path
from aftersale.intake.files.reading import arrivals_of, read
from aftersale.intake.files.trouble import UnusableFile
from tests.files.made_up import NOW, REFUND_ROWS, REFUNDS, REPORT, REPORT_ROWS, read_all, sheet, written

PAID = "2026-11-10 20:00:00"
ASKED = "2026-11-11 08:30:00"

# layout | one order or case per line: header=cell pairs | what must come of it
ROWS = f"""
taobao_refund | 退款编号=9 订单编号=2 支付宝交易号=x 订单付款时间={PAID.replace(" ", "T")} 买家会员名称=tb 买家实际支付金额=29.5 宝贝标题=杯 买家退款金额=29.5 是否需要退货=否 退款的申请时间={ASKED.replace(" ", "T")} 退款状态=WAIT_SELLER_AGREE 货物状态=未发货 卖家真实姓名=甲 卖家真实姓名=乙 责任方=-- | case_id=9 aftersale_type=unshipped_refund_only state=applied amount_fen=2950 applied_minute=510 received=False order.paid_fen=2950 order.shipped=False
taobao_refund | 退款编号=9 订单编号=2 支付单号=x 商品id=3 买家实际支付金额=29.5 买家退款金额=20 售后类型=退货退款 退款状态=退款成功 货物状态=买家已退货 售中或售后=售后 买家退款原因=7天无理由退换货 是否零秒响应=是 业务类型=x | aftersale_type=return_refund state=refunded phase=aftersale reason=seven_day_no_reason zero_second_covered=True received=True order.shipped=True
taobao_refund | 退款编号=9 订单编号=2 买家实际支付金额=29.5 买家退款金额=20 售后类型=仅退款 退款状态=退款关闭 货物状态=买家未收到货 | aftersale_type=None state=closed received=False order.shipped=None
taobao_orders | 订单编号=="7" 买家会员名=tb 买家应付邮费=6 总金额=56 买家实际支付金额=56.00元 订单状态=买家已付款，等待卖家发货 收货地址=浙江省杭州市某街1号 物流单号=null 订单付款时间={PAID.replace(" ", "T")} 联系手机='13912345678 | case=none order.order_id=7 order.paid_fen=5600 order.freight_fen=600 order.order_state=paid order.shipped=False order.region=浙江
taobao_suborders | 子订单编号=71 主订单编号=7 标题=袜 购买数量=2 商品属性=黑 订单状态=交易成功 买家实际支付金额=20 退款状态=退款成功 退款金额=5.5 订单付款时间={PAID.replace(" ", "T")} | case_id=71-refund line_id=71 amount_fen=550 state=refunded order.paid_fen=2000 order.refunded_fen=550
tmall_report | 订单编号=7 总金额=64.8 买家实际支付金额=0.0 收货地址=江苏省 订单创建时间={PAID.replace(" ", "T")} 订单付款时间={PAID.replace(" ", "T")} 退款金额=64.8 | case_id=7-refund amount_fen=6480 state=refunded order.paid_fen=6480 order.refunded_fen=6480 order.order_state=paid
pdd_orders | 商品=袜 订单号=261111-1 订单状态=已发货，待签收 邮费(元)=0 用户实付金额(元)=9.9 商品数量(件)=1 快递单号=YT1 快递公司=圆通 省=广东省 市=x 支付时间={PAID.replace(" ", "T")} 售后状态=无售后或售后取消 | case=none order.order_id=261111-1 order.paid_fen=990 order.shipped=True order.tracking_no=YT1 order.region=广东
pdd_aftersale | 序号=1 售后单号=5 订单号=261111-1 售后退款金额=9.9 售后类型=未发货仅退款 售后状态=待商家处理 售后原因=拍错 申请时间={ASKED.replace(" ", "T")} | case_id=5 aftersale_type=unshipped_refund_only state=applied reason=wrong_purchase
pdd_payout | 店铺名称=x 订单号=261111-1 商品ID=3 商品名称=袜 扣款原因=运费补偿 申请人=小明 申请时间={ASKED.replace(" ", "T")} 申请扣款金额=6 打款状态=打款成功 | case_id=261111-1-pay-20261111083000-600 aftersale_type=compensation amount_fen=600 state=refunded reason=freight
jd_payout | 申请时间={ASKED.replace(" ", "T")} 赔付单号=8 关联订单号=3 关联服务单号=4 赔付金额=5 赔付原因=延迟发货 赔付状态=已驳回 申请人=小明 | case_id=8 order_id=3 aftersale_type=compensation state=closed reason=late_ship
douyin_payout | 支付流水号=8 订单编号=3 商品名称=x 商品ID=1 打款类型=x 打款金额=5 打款申请人=x 打款申请时间={ASKED.replace(" ", "T")} 打款到账时间= 打款状态=打款中 打款备注= | case_id=8 state=applied amount_fen=500
douyin_aftersale | 售后单号=8 订单号=3 商品单号=31 商品名称=x 商品ID=1 应付金额（元）=20 商品发货状态=已发货 售后类型=已发货仅退款 退商品金额（元）=15 退运费金额（元）=2 售后状态=同意退款，退款成功 售后申请时间={ASKED.replace(" ", "T")} 售后原因=假货 仲裁状态=未介入 退货物流单号= | case_id=8 aftersale_type=shipped_refund_only amount_fen=1700 state=refunded received=None intervened=False reason=fake order.shipped=True
"""


def rows() -> list[tuple[str, str, str]]:
    parts = [line.split(" | ") for line in ROWS.strip().splitlines()]
    return [(name.strip(), cells, expected) for name, cells, expected in parts]


def as_csv(cells: str) -> str:
    pairs = [pair.split("=", 1) for pair in cells.split()]
    quoted = ['"' + value.replace('"', '""') + '"' for _, value in pairs]
    return ",".join(header for header, _ in pairs) + "\n" + ",".join(quoted) + "\n"


@pytest.mark.parametrize(("layout", "cells", "expected"), rows())
def test_a_layout_is_recognised_and_read(layout: str, cells: str, expected: str, tmp_path: Path) -> None:
    reading, entries = read_all(written(tmp_path / "x.csv", as_csv(cells), "gb18030"))
    assert [str(bad) for bad in reading.bad] == []
    assert reading.layout.name == layout
    case = entries[0].applications[0] if entries[0].applications else None
    known = {"case": "none"} if case is None else asdict(case)
    known |= {f"order.{name}": value for name, value in asdict(entries[0].order).items()}
    wanted = dict(pair.split("=", 1) for pair in expected.split())
    assert {name: str(known[name]) for name in wanted} == wanted


def test_every_layout_has_a_row_here() -> None:
    assert {name for name, _, _ in rows()} == {layout.name for layout in known_layouts()}


def test_one_content_in_every_encoding_and_as_a_sheet_is_the_same(tmp_path: Path) -> None:
    text = f"{REFUNDS}\n{REFUND_ROWS}"
    paths = [
        written(tmp_path / f"{name}.csv", text, name) for name in ("utf-8", "utf-8-sig", "gb18030", "utf-16")
    ]
    paths.append(written(tmp_path / "tab.txt", text.replace(",", "\t")))
    paths.append(sheet(tmp_path / "x.xlsx", [line.split(",") for line in text.splitlines()]))
    found = [
        [arrival for entry in read_all(path)[1] for arrival in arrivals_of(entry, known_layouts()[0])]
        for path in paths
    ]
    assert [arrival.key for arrival in found[0]] == [arrival.key for arrival in found[-1]]
    assert all(arrivals == found[0] for arrivals in found)


def test_an_old_xls_is_read_and_its_numeric_id_refused() -> None:
    reading, entries = read_all(Path(__file__).parent / "refunds.xls")
    assert [entry.applications[0].case_id for entry in entries] == ["90001"]
    assert [(bad.line, bad.column) for bad in reading.bad] == [(3, "订单编号")]
    assert "设为文本" in reading.bad[0].why


def test_a_header_below_a_title_line_is_found(tmp_path: Path) -> None:
    reading, entries = read_all(written(tmp_path / "x.csv", f"退款明细\n\n{REPORT}\n{REPORT_ROWS}"))
    assert (reading.layout.name, len(entries)) == ("tmall_report", 4)
    assert entries[0].line == 4


def test_tabs_below_a_title_line_are_found(tmp_path: Path) -> None:
    text = f"退款明细\n{REPORT}\n{REPORT_ROWS}".replace(",", "\t")
    assert len(read_all(written(tmp_path / "x.xls", text))[1]) == 4


def test_the_net_amount_of_the_report_is_made_gross(tmp_path: Path) -> None:
    _, entries = read_all(written(tmp_path / "x.csv", f"{REPORT}\n{REPORT_ROWS}"))
    assert [(e.order.paid_fen, e.order.order_state, len(e.applications)) for e in entries] == [
        (10000, "paid", 0),
        (6480, "paid", 1),
        (32770, "paid", 1),
        (0, "unpaid", 0),
    ]


def test_sub_orders_become_one_order_with_its_lines(tmp_path: Path) -> None:
    text = (
        "子订单编号,主订单编号,标题,购买数量,订单状态,买家实际支付金额,退款状态,退款金额\n"
        "71,7,袜,1,交易成功,20,没有申请退款,0\n81,8,帽,1,交易成功,9,没有申请退款,0\n72,7,鞋,2,交易成功,30,退款成功,30\n"
    )
    reading, entries = read_all(written(tmp_path / "x.csv", text))
    assert [(e.order.order_id, e.rows, e.order.paid_fen, e.order.refunded_fen) for e in entries] == [
        ("7", 2, 5000, 3000),
        ("8", 1, 900, 0),
    ]
    assert [line.line_id for line in entries[0].order.lines] == ["71", "72"]
    assert [case.case_id for case in entries[0].applications] == ["72-refund"]
    assert reading.rows == 3


def test_a_newer_export_has_a_newer_version_and_a_repeat_the_same(tmp_path: Path) -> None:
    def told(row: str) -> Application | Order:
        _, entries = read_all(written(tmp_path / "x.csv", f"{REPORT}\n{row}\n"))
        return entries[0].order

    before = "1002,64.80,64.80,江苏省,2026-11-01 11:00:00,2026-11-01 11:00:09,0.00"
    partly = "1002,64.80,60.00,江苏省,2026-11-01 11:00:00,2026-11-01 11:00:09,4.80"
    after = "1002,64.80,0.00,江苏省,2026-11-01 11:00:00,2026-11-01 11:00:09,64.80"
    assert told(before).version < told(partly).version < told(after).version
    assert told(after) == told(after)


def test_personal_columns_are_not_kept(tmp_path: Path) -> None:
    header = "订单编号,买家实际支付金额,订单状态,收货人姓名,联系手机,收货地址"
    text = f"{header}\n7,1,交易成功,张三,13912345678,上海市某路1号\n"
    _, entries = read_all(written(tmp_path / "x.csv", text))
    for secret in ("张三", "13912345678", "某路"):
        assert secret not in repr(entries[0]) + entries[0].raw.decode()


def test_what_the_layout_cannot_tell_is_named(tmp_path: Path) -> None:
    reading = read(written(tmp_path / "x.csv", f"{REPORT}\n{REPORT_ROWS}"), now=NOW)
    assert {"reason", "applied_at", "aftersale_type", "due_at", "shipped"} <= set(reading.missing_facts)
    assert not {"amount", "paid", "state"} & set(reading.missing_facts)


def test_an_unknown_layout_leaves_a_mapping_that_works_when_corrected(tmp_path: Path) -> None:
    path = written(tmp_path / "odd.csv", "单据号,订单编号,实退,状态说明,付了\n51,7,5.00,已经退了,9\n")
    with pytest.raises(UnusableFile, match="不认识的版式"):
        read(path, now=NOW)
    proposal = mapping_path(path)
    guess = yaml.safe_load(proposal.read_text("utf-8"))
    assert guess["columns"]["订单编号"] == "order_id"
    columns = {
        "单据号": "case_id",
        "订单编号": "order_id",
        "实退": "amount",
        "状态说明": "state",
        "付了": "paid",
    }
    words = {"state": {"refunded": ["已经退了"]}}
    proposal.write_text(
        yaml.safe_dump({**guess, "kind": "refund", "columns": columns, "words": words}, allow_unicode=True)
    )
    _, entries = read_all(path, mapping=proposal)
    assert entries[0].applications[0].state == "refunded"
    assert entries[0].applications[0].amount_fen == 500
    with pytest.raises(UnusableFile):
        read(path, now=NOW)
    assert "已经退了" in proposal.read_text("utf-8"), "an edited mapping is never written over"


MAPPINGS = """
kind: rubbish                                         | kind 是「rubbish」
{kind: refund}                                        | 缺少 columns
{kind: refund, columns: {a: case_idd}}                | 是不是 case_id
{kind: refund, columns: {a: case_id, b: case_id}}     | 都指给了 case_id
{kind: refund, columns: {a: case_id}}                 | 还缺字段 order_id、amount、state
{kind: order, columns: {a: order_id}}                 | 还缺字段 paid
{kind: order, like: x, columns: {a: order_id, b: paid}} | 没有这种版式
[1, 2]                                                | 应含 kind
"a: [                                                 | 不是合法
"""


@pytest.mark.parametrize("line", MAPPINGS.strip().splitlines())
def test_a_wrong_mapping_is_refused_in_one_line(line: str, tmp_path: Path) -> None:
    text, why = (part.strip() for part in line.split("|"))
    mapping = written(tmp_path / "m.yaml", text)
    with pytest.raises(UnusableFile, match=why) as caught:
        read(written(tmp_path / "x.csv", "a,b\n1,2\n"), now=NOW, mapping=mapping)
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_named_with_the_nearest_layout(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "退款编号,订单编号,买家退款金额,货物状态\n1,2,3,\n")
    with pytest.raises(UnusableFile, match="最接近「淘宝/天猫退款导出」，但缺少列 退款状态"):
        read(path, now=NOW)
    assert not mapping_path(path).exists()


def test_a_layout_can_be_forced_and_must_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", f"{REPORT}\n{REPORT_ROWS}")
    assert read_all(path, layout="tmall_report")[0].rows == 4
    with pytest.raises(UnusableFile, match="不是「拼多多订单导出」，缺少列"):
        read(path, now=NOW, layout="pdd_orders")
    with pytest.raises(UnusableFile, match="可用的版式：taobao_refund"):
        read(path, now=NOW, layout="pdd")
