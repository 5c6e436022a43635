"""Marts held against what the simulator says must be in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

Row = dict[str, Any]
_SHOWN = 40
_DAY_MEASURES = (
    "visitors", "views", "cart_visitors", "favourite_visitors", "orders_placed", "orders_paid", "paid_amount",
    "net_amount", "refunded_amount", "buyers_paid", "new_buyers_lifetime",
)  # fmt: skip
_ORDER_MEASURES = (
    "paid_date", "paid_amount", "refunded_amount", "unallocated_amount", "is_paid", "is_deal", "is_fully_refunded",
    "is_over_refunded",
)  # fmt: skip

UNTOLD: dict[str, set[str]] = {"no file tells of members": {"relationship"}, "no order shows a phone": set()}
"""Why the files cannot tell of something → families of segments that nobody can be planted for then."""


def assert_matches_truth(
    marts: duckdb.DuckDBPyConnection,
    truth: Row,
    as_of: str,
    *,
    stage: str = "after_late",
    built_dates: Iterable[str] = (),
    schema: str = "marts",
) -> None:
    """Compare published marts with a truth file and list every difference at once.

    Args:
        marts: a connection that sees the marts (`fct_sessions` included) in `schema`.
        truth: the parsed truth file.
        as_of: the date that the marts were built for, one of the truth's dates.
        stage: `before_late` while the late files are missing, else `after_late`.
        built_dates: further dates with truth that were built: the spells must show their members.
    """
    comparison = _Comparison(marts, truth, as_of, stage, schema)
    comparison.totals()
    comparison.days()
    comparison.cohorts()
    for day in sorted({as_of, *built_dates}):
        comparison.segments(day)
    comparison.stages()
    comparison.rfm()
    comparison.persons()
    if as_of == truth["as_of"]:
        comparison.designed()
        comparison.orders()
        comparison.funnels()
        comparison.sessions()
    found = comparison.differences
    assert comparison.compared > 1_000, f"only {comparison.compared} values were compared"
    assert not found, f"{len(found)} differences from the truth:\n" + "\n".join(found[:_SHOWN])


@dataclass
class _Comparison:
    marts: duckdb.DuckDBPyConnection
    truth: Row
    as_of: str
    stage: str
    schema: str
    compared: int = 0
    differences: list[str] = field(default_factory=list)
    key_of: dict[str, str] = field(default_factory=dict)
    expected: Row = field(default_factory=dict)
    plants: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        pairs = self.rows("select unnest(customer_ids) as customer_id, customer_key from {dim_customers}")
        self.key_of = {row["customer_id"]: row["customer_key"] for row in pairs}
        self.expected = self.truth["totals"][self.as_of][self.stage]
        late = self.stage == "before_late"
        self.plants = [plant for plant in self.truth["planted"] if not (late and plant["is_late"])]

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """The rows of a query; `{name}` is a mart."""
        names = _Schema(self.schema)
        cursor = self.marts.execute(query.format_map(names), list(parameters))
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, map(_plain, values), strict=True)) for values in cursor.fetchall()]

    def same(self, what: str, shown: Any, wanted: Any) -> None:
        """Note a difference."""
        self.compared += 1
        if shown != wanted:
            self.differences.append(f"{what}: the marts show {shown!r}, the truth is {wanted!r}")

    def same_fields(self, what: str, shown: Row, wanted: Row, names: Iterable[str]) -> None:
        """Note differences of several columns."""
        for name in names:
            self.same(f"{what}, {name}", shown.get(name), wanted[name])

    def totals(self) -> None:
        """Sums of the whole shop."""
        orders = self.rows(
            """
            select
                count(*) as orders,
                count(*) filter (where is_paid) as orders_paid,
                count(*) filter (where is_deal) as deals,
                count(*) filter (where is_over_refunded) as over_refunded_orders,
                count(*) filter (where customer_key is null) as orders_without_customer,
                sum(paid_amount)::decimal(18, 2) as paid_amount,
                sum(unallocated_amount)::decimal(18, 2) as unallocated_amount,
                sum(refunded_amount)::decimal(18, 2) as refunded_amount,
                (sum(net_amount) filter (where is_paid))::decimal(18, 2) as net_amount,
                (sum(net_amount) filter (where is_deal))::decimal(18, 2) as deal_net_amount
            from {fct_orders}
            """
        )[0]
        self.same_fields("fct_orders", orders, self.expected, orders)
        lines = self.rows(
            """
            select count(*) as order_lines, sum(paid_amount)::decimal(18, 2) as lines_paid_amount,
                sum(refunded_amount)::decimal(18, 2) as refunded_amount
            from {fct_order_lines}
            """
        )[0]
        self.same_fields("fct_order_lines", lines, self.expected, lines)
        refunds = self.rows("select sum(refunded_amount)::decimal(18, 2) as refunded_amount from {fct_refunds}")[0]
        self.same_fields("fct_refunds", refunds, self.expected, refunds)
        sessions = self.rows("select count(*) as sessions, sum(event_count)::bigint as events from {fct_sessions}")[0]
        self.same_fields("fct_sessions", sessions, self.expected, sessions)
        customers = self.rows("select count(*) as customers from {dim_customers}")[0]
        self.same_fields("dim_customers", customers, self.expected, customers)
        for customer_id in self.truth["absent_customers"]:
            self.same(f"dim_customers, {customer_id}", self.key_of.get(customer_id), None)

    def days(self) -> None:
        """Measures of every day, from four marts."""
        kpis = {row["business_date"]: row for row in self.rows("select * from {agg_shop_kpis__by_day}")}
        sessions = self.rows("select session_date as day, count(*) as n from {fct_sessions} group by all")
        attempts = self.rows(
            """
            select start_date as day, sum(attempts)::bigint as n from {agg_funnel_steps__by_day_source}
            where funnel_id = 'purchase' and grain = 'person' and step = 1 group by all
            """
        )
        counted = {"sessions": sessions, "attempts": attempts}
        by_day = {name: {row["day"]: row["n"] for row in rows} for name, rows in counted.items()}
        traffic_start = self.truth["traffic_start"]
        for day, wanted in self.expected["days"].items():
            shown = kpis.get(day)
            if shown is None:
                self.same(f"agg_shop_kpis__by_day, {day}", None, "a row")
                continue
            self.same_fields(f"agg_shop_kpis__by_day, {day}", shown, wanted, _DAY_MEASURES)
            if day >= traffic_start:
                for name, values in by_day.items():
                    self.same(f"{name} of {day}", values.get(day, 0), wanted[name])
        empty = [day for day in kpis if day not in self.expected["days"]]
        for day in empty:
            self.same(f"agg_shop_kpis__by_day, {day}, orders_placed", kpis[day]["orders_placed"], 0)
            self.same(f"agg_shop_kpis__by_day, {day}, views", kpis[day]["views"], 0)

    def cohorts(self) -> None:
        """Every cohort in every period, and at every horizon."""
        retention: dict[str, dict[int, Row]] = defaultdict(dict)
        for row in self.rows("select * from {agg_cohort_retention__by_month}"):
            retention[row["cohort_month"]][row["period"]] = row
        repurchase = {
            (row["cohort_month"], row["within_days"]): row
            for row in self.rows("select * from {agg_repurchase_rates__by_month}")
        }
        self.same("cohort months", sorted(retention), sorted(self.expected["cohorts"]))
        for month, wanted in self.expected["cohorts"].items():
            shown = retention.get(month, {})
            self.same(f"periods of {month}", sorted(shown), list(range(len(wanted["retained_customers"]))))
            for period, row in sorted(shown.items()):
                where = f"agg_cohort_retention__by_month, {month} + {period}"
                self.same(f"{where}, cohort_size", row["cohort_size"], wanted["cohort_size"])
                for name in ("retained_customers", "cumulative_net_amount"):
                    self.same(f"{where}, {name}", row[name], dict(enumerate(wanted[name])).get(period))
            for name in ("observable_customers", "repurchased_customers"):
                for horizon, count in wanted[name].items():
                    row = repurchase.get((month, int(horizon)), {})
                    self.same(f"agg_repurchase_rates__by_month, {month}, {horizon} days, {name}", row.get(name), count)

    def members(self, day: str) -> dict[str, set[str]]:
        """Segment → customers who are inside on a built day."""
        members: dict[str, set[str]] = defaultdict(set)
        for row in self.rows(
            """
            select segment_id, customer_key from {fct_segment_memberships}
            where entered_on <= $1 and (exited_on is null or exited_on > $1)
            """,
            date.fromisoformat(day),
        ):
            members[row["segment_id"]].add(row["customer_key"])
        return members

    def designed(self) -> None:
        """Planted persons at the end: in the segments that they were made for, and in no stage but the designed one.

        Every segment of the catalogue must have somebody planted inside and somebody outside: one that has not would
        be right by not being looked at.
        """
        members, stages = self.members(self.as_of), self.customer_stages()
        looked_at: dict[bool, set[str]] = {True: set(), False: set()}
        for plant in self.plants:
            if plant["customer_id"] is None:
                continue
            key = self.key_of.get(plant["customer_id"])
            counted = plant[self.stage][self.as_of]
            for segment, inside in {**plant["designed"], **counted["segments"]}.items():
                self.same(f"{plant['kind']} in {segment}", key in members[segment], inside)
                looked_at[inside].add(segment)
            for kind, stage in {**plant["designed_stages"], **counted["stages"]}.items():
                if counted["is_customer"]:
                    self.same(f"{plant['kind']}, {kind}", stages.get(key or "", {}).get(kind), stage)
        due = {row["customer_key"] for row in self.rows("select * from {fct_item_repurchase_due} where is_due")}
        for plant in self.plants:
            if "repurchase" in plant["designed"]:
                key = self.key_of[plant["customer_id"]]
                self.same(f"{plant['kind']}, is due", key in due, plant["designed"]["repurchase"])
        catalogue = {row["segment_id"]: row["family"] for row in self.rows("select * from {dim_segments}")}
        untold = {family for why in self.truth["not_told"].values() for family in UNTOLD[why]}
        wanted = {segment for segment, family in catalogue.items() if family not in untold}
        for inside, segments in looked_at.items():
            where = "inside" if inside else "outside"
            self.same(f"segments with nobody planted {where}", sorted(wanted - segments), [])

    def customer_stages(self) -> dict[str, Row]:
        """Customer → stages."""
        return {row["customer_key"]: row for row in self.rows("select * from {fct_customer_stages}")}

    def stages(self) -> None:
        """The shop's rhythm, which every customer's row tells."""
        rhythms = self.rows(
            """
            select distinct shop_gap_count as gap_count, shop_gap_median_days as median, shop_gap_p90_days as p90
            from {fct_customer_stages}
            """
        )
        self.same("gaps between deal days", rhythms, [self.expected["rhythm"]])

    def persons(self) -> None:
        """Planted customer ids share a customer key exactly if they are one person's."""
        same_person = self.truth["same_person"]
        ids = {plant["customer_id"] for plant in self.plants} - {None}
        by_key, by_person = defaultdict(set), defaultdict(set)
        for customer_id in ids & self.key_of.keys():
            by_key[self.key_of[customer_id]].add(customer_id)
            by_person[same_person.get(customer_id, customer_id)].add(customer_id)
        self.same("planted persons", sorted(map(sorted, by_key.values())), sorted(map(sorted, by_person.values())))

    def segments(self, day: str) -> None:
        """Members on a built day: how many, and each planted person."""
        members = self.members(day)
        for segment, count in self.truth["totals"][day][self.stage]["segments"].items():
            self.same(f"members of {segment} on {day}", len(members[segment]), count)
        union = members["interest"] | members["new_customer"] | members["repurchase"]
        self.same(f"members of key_operating on {day}", members["key_operating"] == union, True)
        for plant in self.truth["planted"]:
            if plant["customer_id"] is None:
                continue
            wanted = plant[self.stage][day]
            key = self.key_of.get(plant["customer_id"])
            if day == self.as_of:
                self.same(f"{plant['kind']}, is a customer", key is not None, wanted["is_customer"])
            for segment, inside in wanted["segments"].items():
                self.same(f"{plant['kind']} in {segment} on {day}", key in members[segment], inside)

    def rfm(self) -> None:
        """Sums of the base, and the values and designed classes of planted persons."""
        sums = self.rows(
            """
            select count(*) as customers, sum(recency_days)::bigint as recency_days,
                sum(frequency)::bigint as frequency, sum(monetary)::decimal(18, 2) as monetary
            from {fct_customer_rfm}
            """
        )[0]
        self.same_fields("fct_customer_rfm", sums, self.expected["rfm"], sums)
        classes = self.rows("select rfm_class, count(*) as n from {fct_customer_rfm} group by all order by all")
        self.same("classes of RFM", {row["rfm_class"]: row["n"] for row in classes}, self.expected["rfm_classes"])
        rows = {row["customer_key"]: row for row in self.rows("select * from {fct_customer_rfm}")}
        for plant in self.truth["planted"]:
            if plant["customer_id"] is None:
                continue
            wanted = plant[self.stage][self.as_of]["rfm"]
            shown = rows.get(self.key_of.get(plant["customer_id"], ""))
            self.same(f"{plant['kind']}, is in the base of RFM", shown is not None, wanted is not None)
            if shown is not None and wanted is not None:
                self.same_fields(plant["kind"], shown, wanted, wanted)
            if shown is not None and plant["rfm_class"] and self.as_of == self.truth["as_of"]:
                self.same(f"{plant['kind']}, rfm_class", shown["rfm_class"], plant["rfm_class"])

    def orders(self) -> None:
        """Planted orders with their lines and refunds."""
        orders = {row["order_id"]: row for row in self.rows("select * from {fct_orders}")}
        lines, refunds = defaultdict(list), defaultdict(list)
        for row in self.rows("select * from {fct_order_lines} order by line_number"):
            lines[row["order_id"]].append(row)
        item_of = {(row["order_id"], row["line_key"]): row["item_id"] for rows in lines.values() for row in rows}
        for row in self.rows("select * from {fct_refunds} order by refunded_date, line_key"):
            refunds[row["order_id"]].append(row)
        for wanted in (order for plant in self.plants for order in plant["orders"]):
            order_id = wanted["order_id"]
            shown = orders.get(order_id)
            if shown is None:
                self.same(f"fct_orders, {order_id}", None, "a row")
                continue
            self.same_fields(order_id, shown, wanted, _ORDER_MEASURES)
            key = None if wanted["customer_id"] is None else self.key_of.get(wanted["customer_id"], "missing")
            self.same(f"{order_id}, customer_key", shown["customer_key"], key)
            shown_lines = [
                {"item_id": row["item_id"], "quantity": int(Decimal(row["quantity"]))}
                | {name: row[name] for name in ("paid_amount", "refunded_amount")}
                for row in lines[order_id]
            ]
            self.same(f"{order_id}, lines", shown_lines, wanted["lines"])
            shown_refunds = [
                {
                    "refunded_date": row["refunded_date"],
                    "item_id": item_of.get((order_id, row["line_key"])),
                    "amount": row["refunded_amount"],
                }
                for row in refunds[order_id]
            ]
            self.same(f"{order_id}, refunds", _sorted(shown_refunds), _sorted(wanted["refunds"]))

    def funnels(self) -> None:
        """Planted attempts; persons planted for the funnels have no others."""
        by_person = defaultdict(list)
        for row in self.rows("select * from {fct_funnel_attempts} where funnel_id = 'purchase'"):
            by_person[row["person_id"]].append(row)
        names = ("funnel_id", "grain", "item_id", "start_date", "max_step", "source", "is_complete")
        for plant in self.plants:
            wanted = plant["funnel_attempts"]
            if not wanted:
                continue
            person = wanted[0]["person_id"]
            key = self.key_of.get(person, "missing") if wanted[0]["is_customer"] else person
            shown = [
                {name: row[name] for name in names}
                for row in by_person[key]
                if row["grain"] in {"person", "person_item"}
            ]
            self.same(
                f"{plant['kind']}, attempts",
                _sorted(shown),
                _sorted({name: attempt[name] for name in names} for attempt in wanted),
            )

    def sessions(self) -> None:
        """All sessions of planted visitors."""
        shown, wanted = defaultdict(list), defaultdict(list)
        names = ("session_date", "source", "event_count")
        for row in self.rows("select * from {fct_sessions} where visitor_id like 'pv-%'"):
            shown[row["visitor_id"]].append({name: row[name] for name in names})
        for session in (session for plant in self.plants for session in plant["sessions"]):
            wanted[session["visitor_id"]].append({name: session[name] for name in names})
        for visitor_id in sorted(shown.keys() | wanted.keys()):
            self.same(f"sessions of {visitor_id}", _sorted(shown[visitor_id]), _sorted(wanted[visitor_id]))


class _Schema(dict[str, str]):
    """Turns the name of a mart into a qualified one."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, name: str) -> str:
        return f"{self._schema}.{name}"


def _plain(value: Any) -> Any:
    """A value as the truth file writes it."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date) and not hasattr(value, "hour"):
        return value.isoformat()
    return value


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: sorted((name, str(value)) for name, value in row.items()))
