"""Orders as 千牛's reports write them: the head, the lines and the refunds, cells by the header's names.

The cells are those of all versions; a report takes the ones that its header has.
"""

from __future__ import annotations

from renqun.simulate.calendar import Calendar
from renqun.simulate.facts import Order, Refund
from renqun.simulate.order_state import CLOSED, OrderState, money, state_of
from renqun.simulate.wall import DAY, wall_text

Cells = dict[str, str]
SUCCEEDED, REFUSED = "退款成功", "退款关闭"
_MEMO_EVERY = 47
_ASKED_BEFORE = 7_200
_OF_EVERY_HEAD = {
    "买家支付积分": "0", "返点积分": "0", "买家实际支付积分": "0", "运送方式": "快递", "店铺Id": "0",
    "卖家服务费": "0", "买家服务费": "0元", "是否手机订单": "手机订单", "手机订单": "手机订单",
}  # fmt: skip


def head_cells(order: Order, folder: int, calendar: Calendar) -> Cells:
    """The order's row in 订单报表."""
    state = state_of(order, folder, calendar)
    person = order.person
    goods = min(order.paid, sum(line.paid for line in order.lines))
    names = "，".join(line.item.name for line in order.lines)
    is_sent = state.status == "交易成功"
    paid = money(order.paid) if state.is_paid else "0.00"
    return {
        **_OF_EVERY_HEAD,
        **_of_order(order, state),
        "订单编号": order.order_id,
        "买家会员名": order.customer_id,
        "买家会员昵称": order.customer_id,
        "买家支付宝账号": person.email if person else "",
        "买家应付货款": money(goods),
        "买家应付邮费": money(order.paid - goods),
        "总金额": money(order.paid),
        "买家实际支付金额": paid,
        "买家实付金额": paid,
        "收货人姓名": "收件人" if person else "",
        "收货地址": f"{person.province} {person.city} 某某区 某某街道无名路{person.phone[-2:]}号(000000)"
        if person
        else "",
        "联系手机": f"'{person.phone}" if person and order.identity else "",
        "宝贝标题": names,
        "商品标题": names,
        "宝贝种类": str(len(order.lines)),
        "物流单号": f"No:{order.order_id[-12:]}" if is_sent else "",
        "物流公司": "某某快递" if is_sent else "",
        "宝贝总数量": str(sum(line.quantity for line in order.lines)),
        "订单关闭原因": _closed_because(state),
        "退款金额": money(sum(state.refunded)),
        "确认收货时间": state.signed_at,
    }


def line_cells(order: Order, folder: int, calendar: Calendar) -> list[Cells]:
    """The order's rows in 宝贝报表."""
    state = state_of(order, folder, calendar)
    of_order = _of_order(order, state)
    rows = []
    for line, refunded in zip(order.lines, state.refunded, strict=True):
        paid = "0.00" if not state.is_paid else money(line.paid) if line.exports_paid else ""
        rows.append(
            {
                **of_order,
                "订单编号": order.order_id,
                "主订单编号": order.order_id,
                "子订单编号": line.line_id,
                "标题": line.item.name,
                "商品标题": line.item.name,
                "商品ID": line.item.item_id,
                "商家编码": line.item.item_id,
                "价格": money(line.unit),
                "商品价格": money(line.unit),
                "购买数量": str(line.quantity),
                "商品属性": "颜色分类：默认;规格：标准",
                "买家应付货款": money(line.unit * line.quantity - line.discount),
                "买家实际支付金额": paid,
                "买家实付金额": paid,
                "退款状态": SUCCEEDED if refunded else "没有申请退款",
                "退款金额": money(refunded) if refunded else "无退款申请",
            }
        )
    return rows


def refund_cells(order: Order, refund: Refund, number: int, *, is_refused: bool = False) -> Cells:
    """A refund's row in the refund export; without a time where it has none to tell."""
    assert order.paid_at is not None, "what was not paid is not given back"
    line = order.lines[refund.line]
    ended = wall_text(refund.at) if refund.exports_time else ""
    return {
        "订单编号": order.order_id,
        "退款编号": f"{order.order_id}9{number}",
        "订单付款时间": wall_text(order.paid_at),
        "商家编码": line.item.item_id,
        "商品id": line.item.item_id,
        "商品编码": line.item.item_id,
        "退款完结时间": ended,
        "完结时间": ended,
        "买家会员名称": order.customer_id,
        "买家实际支付金额": money(order.paid),
        "宝贝标题": line.item.name,
        "买家退款金额": money(refund.amount),
        "手工退款/系统退款": "手工退款",
        "是否需要退货": "不需要退货",
        "退款的申请时间": wall_text(max(order.paid_at, refund.at - _ASKED_BEFORE)),
        "退款状态": REFUSED if is_refused else SUCCEEDED,
        "买家退款原因": "不想要了",
        "售中或售后": "售后",
        "售后类型": "仅退款",
        "部分退款/全部退款": "全部退款" if refund.amount >= order.paid else "部分退款",
    }


def refused_refund(order: Order) -> tuple[int, Refund] | None:
    """The day and the content of a refund that some buyers ask for in vain: no money, and no fact."""
    if order.paid_at is None or order.refunds or not order.settles or order.ordered_at % _MEMO_EVERY:
        return None
    at = order.paid_at + 2 * DAY
    return at // DAY, Refund(0, at, order.lines[0].paid)


def _of_order(order: Order, state: OrderState) -> Cells:
    """What head and lines both tell."""
    memo = "'请用“礼盒”, 谢谢" if order.ordered_at % _MEMO_EVERY == 1 else ""
    return {
        "订单状态": state.status,
        "订单创建时间": wall_text(order.ordered_at),
        "订单付款时间": wall_text(order.paid_at) if state.is_paid and order.paid_at else "",
        "订单备注": memo,
        "备注": memo,
        "商家备注": memo.lstrip("'"),
    }


def _closed_because(state: OrderState) -> str:
    if state.status != CLOSED:
        return "订单未关闭"
    return "退款" if state.is_paid else "买家未付款"
