"""All that is planted, in the order in which it must be."""

from __future__ import annotations

from renqun.simulate.books import keep_books
from renqun.simulate.calendar import Calendar
from renqun.simulate.facts import Facts, Order
from renqun.simulate.planting import Planting
from renqun.simulate.plants_audiences import plant_audiences
from renqun.simulate.plants_behaviour import plant_behaviour
from renqun.simulate.plants_identity import plant_identity
from renqun.simulate.plants_members import plant_members
from renqun.simulate.plants_orders import plant_orders
from renqun.simulate.plants_segments import plant_segments
from renqun.simulate.plants_stages import LOST_GAPS, plant_lifecycle, plant_stages
from renqun.simulate.plants_tags import plant_tags
from renqun.simulate.plants_tastes import plant_tastes
from renqun.simulate.plants_visits import plant_visits
from renqun.simulate.stages import rhythm


def plant_all(bed: Planting) -> None:
    """Everybody who does not depend on what the others did."""
    plant_segments(bed)
    plant_orders(bed)
    plant_visits(bed)
    plant_stages(bed)
    plant_members(bed)
    plant_behaviour(bed)
    plant_tags(bed)
    plant_tastes(bed)
    plant_audiences(bed)
    plant_identity(bed)


def plant_by_rhythm(bed: Planting, ordinary: list[Order], calendar: Calendar) -> None:
    """Those at the boundaries of the shop's own rhythm, which all orders together make: counted here, planted last."""
    orders = ordinary + [order for plant in bed.plants for order in plant.orders]
    facts = Facts(orders=orders, same_person=bed.same_person)
    plant_lifecycle(bed, rhythm(keep_books(facts, calendar, bed.end, (), with_late=True), LOST_GAPS))
