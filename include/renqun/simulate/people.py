"""Who buys: invented persons. Phones use the prefix 154, which no operator has; e-mails use example.com (RFC 2606)."""

from __future__ import annotations

from itertools import pairwise

from renqun.simulate.draws import Stream
from renqun.simulate.facts import Person

_NICKS = ("海风", "小鹿", "团子", "橙子", "阿月", "木木", "星河", "可乐", "豆豆", "南山", "momo", "lily", "kiki", "tom")

PLACES = (
    ("浙江省", ("杭州市", "宁波市", "温州市")),
    ("广东省", ("广州市", "深圳市", "佛山市", "东莞市")),
    ("江苏省", ("南京市", "苏州市", "无锡市")),
    ("上海", ("上海市",)),
    ("北京", ("北京市",)),
    ("四川省", ("成都市", "绵阳市")),
    ("山东省", ("青岛市", "济南市")),
    ("湖北省", ("武汉市", "宜昌市")),
    ("福建省", ("福州市", "厦门市")),
    ("陕西省", ("西安市",)),
)


def make_person(number: int, draw: Stream) -> Person:
    """The customer with a number; a fifth use a second device, and some leave no e-mail."""
    province, cities = draw.pick(PLACES)
    visitors = (f"v{number:07d}a",) if draw.chance(80) else (f"v{number:07d}a", f"v{number:07d}b")
    return Person(
        customer_id=f"{draw.pick(_NICKS)}_{number:06d}",
        visitor_ids=visitors,
        phone=f"154{number:08d}",
        email=f"buyer{number:06d}@example.com" if draw.chance(60) else "",
        province=province,
        city=draw.pick(cities),
        is_member=draw.chance(35),
    )


def share_visitors(people: list[Person], draw: Stream) -> None:
    """Let one in a hundred use a device of the person before."""
    for before, person in pairwise(people):
        if draw.chance(1):
            person.visitor_ids = (before.visitor_ids[0],)
