"""The forms of a simulated shop: files that are recognised as what they are meant to be, and the same facts in all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from simulated_shop import END, PLATFORMS, SimulatedShop, make_shop

from renqun.ingest.detect import detect
from renqun.ingest.engine import workbench
from renqun.ingest.inspection import inspect_file
from renqun.settings import Shop
from renqun.simulate import FORMS, Dirt, Form, planting, small_config

_GENERIC_ALWAYS = {"traffic_events": {""}, "members": {""}, "consent": {""}, "suppressions": {""}}
_VERSIONS: dict[str, dict[str, set[str]]] = {
    "taobao": {
        "taobao_orders": {"2017-2018 gb18030"},
        "taobao_order_items": {"2021 gb18030", "classic gb18030"},
        "taobao_refunds": {"2017 gb18030"},
        "sycm_shop_sources": {"four levels xls"},
        "sycm_items": {"38 columns xls"},
        "sycm_shop_daily": {"with paid promotion xls"},
        "taobao_excluded_orders": {"1d4a675b gb18030"},
    },
    "taobao_xlsx": {
        "taobao_orders": {"2025 xlsx"},
        "taobao_order_items": {"2025 xlsx"},
        "taobao_refunds": {"2026 xlsx"},
        "sycm_shop_sources": {"four levels xlsx"},
        "sycm_items": {"38 columns xlsx"},
        "sycm_shop_daily": {"with paid promotion xlsx"},
        "taobao_excluded_orders": {"1d4a675b xlsx"},
    },
    "shopify": {
        "shopify_orders": {"79 columns utf-8"},
        "shopify_customers": {"with customer ids utf-8"},
        "traffic_sources": {""},
    },
}
_REASONS = {
    "taobao_orders": {
        "missing_required", "unparsable_value", "time_before_2000", "paid_before_ordered", "time_after_export",
        "digits_lost", "ragged_row", "broken_encoding",
    },
    "taobao_order_items": {
        "missing_required", "unparsable_value", "negative_quantity", "negative_price", "digits_lost", "ragged_row",
        "broken_encoding", "order_has_quarantined_line",
    },
    "taobao_refunds": {"missing_required", "unparsable_value", "negative_price"},
    "shopify_orders": {
        "missing_required", "unparsable_value", "negative_quantity", "negative_price", "time_before_2000",
        "time_after_export", "foreign_currency", "digits_lost", "ragged_row", "broken_encoding",
        "order_has_quarantined_line",
    },
}  # fmt: skip
"""What a form can show; Shopify's source asks nothing of an order paid before it was placed."""
_SHOP = Shop(id="default")
_QUIET = {
    **dict.fromkeys(("paid_amount", "net_amount", "refunded_amount"), "0.00"),
    **dict.fromkeys(
        ("visitors", "views", "cart_visitors", "favourite_visitors", "events", "sessions", "attempts", "orders_placed",
         "orders_paid", "item_quantity", "buyers_paid", "new_buyers_lifetime"), 0
    ),
}  # fmt: skip
"""A day on which nothing happened: the truth may leave it out."""


@pytest.mark.parametrize("form", PLATFORMS)
def test_every_file_is_recognised_as_the_source_that_it_is_meant_to_be(
    shops: dict[str, SimulatedShop], form: str
) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    with workbench() as bench:
        for place, path, entry in shops[form].places():
            day = date.fromisoformat(entry["date"])
            detection = detect(bench, path, group=place.split("/")[0], where=place, day=day)  # type: ignore[arg-type]
            source = detection.source
            assert source.source == entry["source"], place
            if source.dates:
                assert detection.days == (day, day), place
            version = "" if source.is_generic else f"{detection.header_version} {detection.header.encoding}"
            found[source.source].add(version)

    assert found == _VERSIONS[form] | _GENERIC_ALWAYS


@pytest.mark.parametrize("form", PLATFORMS)
def test_files_on_disk_are_those_that_the_truth_lists(shops: dict[str, SimulatedShop], form: str) -> None:
    shop = shops[form]
    on_disk = {path for root in (shop.landing, shop.root / "late") for path in root.rglob("*") if path.is_file()}

    assert on_disk == {path for _, path, _ in shop.places()}
    late = {entry["source"] for _, _, entry in shop.places() if entry["is_late"]}
    assert late >= set(_VERSIONS[form]) & {"taobao_orders", "taobao_order_items", "shopify_orders"} | {"traffic_events"}


@pytest.mark.parametrize("form", PLATFORMS)
def test_ingest_sets_aside_and_leaves_out_what_the_truth_lists(shops: dict[str, SimulatedShop], form: str) -> None:
    reasons: dict[str, set[str]] = defaultdict(set)
    left_out = 0
    for place, path, entry in shops[form].places():
        is_looked_at = entry["quarantined"] and place.startswith("orders/") and not entry["same_bytes_as"]
        if not is_looked_at and not (entry["left_out"] and entry["date"] == END):
            continue
        counts = inspect_file(_SHOP, path).counts
        told = Counter[str]()
        for reason, count in counts.quarantine_reasons.items():
            told[reason.partition(":")[0]] += count
        assert (counts.rows_read, dict(told), counts.rows_left_out) == (
            entry["rows"],
            entry["quarantined"],
            entry["left_out"],
        ), place
        assert counts.rows_quarantined == sum(entry["quarantined"].values()), place
        reasons[entry["source"]].update(told)
        left_out += sum(counts.rows_left_out.values())
    reasons.pop("sycm_shop_sources", None)

    unknown_to_workbooks = {"broken_encoding"} if form == "taobao_xlsx" else set()
    wanted = {source: known - unknown_to_workbooks for source, known in _REASONS.items() if source in _VERSIONS[form]}
    assert reasons == wanted
    assert left_out == (1 if form.startswith("taobao") else 0)


@pytest.fixture(scope="module")
def without_phones(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The generic shop without the persons who are known by the phone of an order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planting, "WITHOUT_PHONES", frozenset(FORMS))
        return make_shop(tmp_path_factory.mktemp("without"), small_config(hold_back=True))


@pytest.mark.parametrize("form", ["taobao", "taobao_xlsx"])
def test_facts_are_the_same_in_taobaos_forms(
    shops: dict[str, SimulatedShop], without_phones: SimulatedShop, form: str
) -> None:
    generic = (without_phones if form == "taobao_xlsx" else shops["generic"]).truth
    told = shops[form].truth
    for part in ("totals", "planted", "left_out", "not_told", "same_person"):
        assert told[part] == generic[part], part
    assert len(told["late_files"]) >= len(generic["late_files"])
    brushers = [order["customer_id"] for order in told["excluded_orders"]]
    assert told["absent_customers"] == generic["absent_customers"] + brushers


def test_every_form_tells_what_it_cannot(shops: dict[str, SimulatedShop]) -> None:
    phoneless = dict.fromkeys(
        ("same_person", "hidden_nick_with_phone", "phone_of", "device_of_two_nicks"), "no order shows a phone"
    )

    assert {form: shop.truth["not_told"] for form, shop in shops.items()} == {
        "generic": {}, "taobao": {}, "taobao_xlsx": phoneless, "shopify": {},
    }  # fmt: skip
    assert all(shop.truth["left_out"] == [] for shop in shops.values())
    # Members name a person's ids in every form.
    chain = {"planted_members_chain_second": "planted_members_chain_first"}
    assert all(shop.truth["same_person"].items() >= chain.items() for shop in shops.values())


def test_facts_are_the_same_in_shopifys_form_but_for_what_it_cannot_tell(shops: dict[str, SimulatedShop]) -> None:
    for day, stages in shops["generic"].truth["totals"].items():
        for stage, wanted in stages.items():
            shown = shops["shopify"].truth["totals"][day][stage]
            differing = {name for name in wanted if wanted[name] != shown[name]}
            # No amount of a line is told: what the order paid, postage too, is shared over them.
            assert differing == {"lines_paid_amount", "unallocated_amount", "days"}
            assert shown["unallocated_amount"] == "0.00"
            # A refund counts on the day of the export that shows it: for old orders, that of the file of the history.
            for name in wanted["days"].keys() | shown["days"].keys():
                one, other = ({**_QUIET, **totals["days"].get(name, {})} for totals in (wanted, shown))
                assert {key for key in one if one[key] != other[key]} <= {"refunded_amount"}, name
            assert _sum_of_refunds(shown) == _sum_of_refunds(wanted)


def _sum_of_refunds(totals: dict[str, Any]) -> Decimal:
    return sum((Decimal(day["refunded_amount"]) for day in totals["days"].values()), Decimal(0))


def test_refunds_of_daily_files_keep_their_day_in_shopifys_form(shops: dict[str, SimulatedShop]) -> None:
    days = shops["generic"].truth["totals"][END]["after_late"]["days"]
    shown = shops["shopify"].truth["totals"][END]["after_late"]["days"]

    # The history's only file lies in the folder of the day before.
    daily = [day for day in days if day >= "2026-05-22"]
    assert any(days[day]["refunded_amount"] != "0.00" for day in daily)
    assert [days[day] for day in daily] == [shown[day] for day in daily]


@pytest.mark.parametrize("form", FORMS)
def test_faults_change_no_fact_in_any_form(form: Form, shops: dict[str, SimulatedShop], tmp_path: Path) -> None:
    clean = make_shop(tmp_path, replace(small_config(hold_back=True), form=form, dirt=Dirt.none()))

    assert clean.truth["totals"][END]["after_late"] == shops[form].truth["totals"][END]["after_late"]


@pytest.mark.parametrize("form", PLATFORMS)
def test_a_form_gives_the_same_bytes_when_made_in_another_process(
    shops: dict[str, SimulatedShop], form: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path; "
        "from renqun.simulate import simulate, small_config; root = Path(sys.argv[1]); "
        "simulate(replace(small_config(hold_back=True), form=sys.argv[2]), root / 'landing', root / 'truth.json')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/New_York", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path), form], check=True, env=environment)

    assert _digest(tmp_path) == _digest(shops[form].root)


def _digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()
