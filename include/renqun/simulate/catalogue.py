"""What the shop sells, and when it sells cheaper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from renqun.simulate.draws import Stream
from renqun.simulate.facts import Item
from renqun.simulate.wall import day_date


@dataclass(frozen=True)
class Category:
    """A kind of goods: how often it is needed again, what it costs (cents), how much of the trade it has."""

    category_id: str
    name: str
    cycle: int
    low: int
    high: int
    weight: int


CATEGORIES = (
    Category("cat_snacks", "零食", 18, 990, 5990, 20),
    Category("cat_coffee", "咖啡", 24, 3900, 16900, 13),
    Category("cat_diapers", "纸尿裤", 30, 8900, 25900, 12),
    Category("cat_pet", "宠物粮", 38, 5900, 32900, 12),
    Category("cat_care", "洗护", 55, 2900, 12900, 14),
    Category("cat_skin", "护肤", 75, 9900, 69900, 12),
    Category("cat_apparel", "服饰", 95, 7900, 59900, 11),
    Category("cat_home", "家电", 260, 19900, 349900, 6),
)

_ADJECTIVES = ("云朵", "山野", "晨光", "小满", "拾光", "青禾", "鹿鸣", "初雪")
_NOUNS = ("经典款", "家庭装", "尝鲜装", "限定款", "礼盒", "升级款", "加量装")

_FESTIVALS = {
    (3, 6): 10, (3, 7): 10, (3, 8): 15,
    **{(6, day): 15 for day in range(1, 18)}, (6, 18): 30,
    **{(11, day): 20 for day in range(1, 11)}, (11, 11): 30,
    (12, 10): 10, (12, 11): 10, (12, 12): 25,
}  # fmt: skip
"""Month and day of a promotion, and by how many percent it lowers prices."""

PEAKS = frozenset({(3, 8), (6, 18), (11, 11), (12, 12)})
"""Days for which people hold their orders back."""


def promotion(day: int) -> int:
    """By how many percent the shop lowers its prices on a day."""
    on = day_date(day)
    return _FESTIVALS.get((on.month, on.day), 0)


def next_peak(day: int, within: int) -> int | None:
    """The next day that people wait for, if it comes soon."""
    for ahead in range(within + 1):
        on: date = day_date(day + ahead)
        if (on.month, on.day) in PEAKS:
            return day + ahead
    return None


def make_catalogue(count: int, draw: Stream) -> dict[str, list[Item]]:
    """The items by category, each category with its share of them."""
    total = sum(category.weight for category in CATEGORIES)
    catalogue: dict[str, list[Item]] = {}
    for number, category in enumerate(CATEGORIES, start=1):
        items = []
        for place in range(max(2, count * category.weight // total)):
            price = draw.between(category.low // 100, category.high // 100) * 100 - draw.pick((1, 10, 100))
            name = f"{draw.pick(_ADJECTIVES)}{category.name}{draw.pick(_NOUNS)} {place + 1:03d}"
            cycle = max(7, category.cycle * draw.between(80, 120) // 100)
            items.append(Item(f"61{number:02d}{place + 1:06d}", name, category.category_id, price, cycle))
        catalogue[category.category_id] = items
    return catalogue
