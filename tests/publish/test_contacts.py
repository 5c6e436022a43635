"""Who may be addressed: suppression, consent, holdout, frequency cap and priority, and what the manifest says of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from shop_of_marts import TestShop, audience, day, keys_in

from renqun.errors import GateFailed
from renqun.publish.manifest import AudienceManifest, read_audience_manifest
from renqun.publish.verify import verify

CHAMPIONS = [f"c{number:02}" for number in range(20)]


def phone_of(customer: str) -> str:
    return f"+86138001380{int(customer[1:]):02}"


@pytest.fixture
def shop(shop: TestShop) -> TestShop:
    """Twenty champions with a phone and an address each, who agreed to text messages and e-mail."""
    shop.warehouse.contacts = {one: (phone_of(one), f"{one}@example.com") for one in CHAMPIONS}
    shop.warehouse.agree(CHAMPIONS, "sms", "email")
    return shop


def published(shop: TestShop, as_of: date, **changes: object) -> tuple[Path, AudienceManifest]:
    """The version of one day of an audience that goes to text messages and the canonical list."""
    report = shop.publish_day(as_of, [audience(**({"destinations": ["canonical", "sms"]} | changes))])
    folder = shop.version_of(report)
    found = verify(folder)
    assert found.passed, found.failures
    return folder, read_audience_manifest(folder)


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def test_everybody_who_agreed_is_in_the_file_of_the_destination(shop: TestShop) -> None:
    folder, manifest = published(shop, day(0))
    assert lines(folder / "sms.txt") == [phone_of(one).removeprefix("+86") for one in CHAMPIONS]
    delivery = manifest.deliveries["sms"]
    assert (delivery.rows, delivery.people, delivery.held_back, delivery.refused) == (20, 20, {}, None)
    assert (delivery.full, delivery.append, delivery.reduce) == (("sms.txt",), (), ())
    assert manifest.held_back == {}
    assert (folder / "sms.txt").stat().st_mode & 0o777 == 0o400


def test_without_consent_nobody_is_reached_and_the_manifest_says_so(shop: TestShop) -> None:
    shop.warehouse.consents = {}
    folder, manifest = published(shop, day(0))
    assert keys_in(folder / "members.parquet") == set(CHAMPIONS), "the canonical list asks for no consent"
    delivery = manifest.deliveries["sms"]
    assert delivery.held_back == {"no_consent": 20}
    assert delivery.refused == "0 people can be reached there; it takes 1 or more"
    assert not (folder / "sms.txt").exists()


def test_consent_is_by_channel_and_by_purpose(shop: TestShop) -> None:
    shop.warehouse.consents = {
        ("c00", "sms", "marketing"): True,
        ("c01", "email", "marketing"): True,
        ("c02", "sms", "service"): True,
        ("c03", "sms", "marketing"): False,
        ("c03", "email", "marketing"): True,
    }
    folder, manifest = published(shop, day(0))
    assert lines(folder / "sms.txt") == ["13800138000"]
    assert manifest.deliveries["sms"].held_back == {"no_consent": 19}
    folder, _ = published(shop, day(0), purpose={"kind": "service", "text": "-"})
    assert lines(folder / "sms.txt") == ["13800138002"]


def test_a_crm_gets_of_each_contact_what_its_owner_agreed_to(shop: TestShop) -> None:
    shop.warehouse.consents = {
        ("c00", "sms", "marketing"): True,
        ("c01", "email", "marketing"): True,
        ("c02", "ads", "marketing"): True,
    }
    folder, _ = published(shop, day(0), destinations=["braze"])
    assert lines(folder / "braze.csv") == [
        "external_id,email,phone",
        "c00,,+8613800138000",
        "c01,c01@example.com,",
    ]
    assert not (folder / "canonical.csv").exists()


def test_a_phone_that_is_none_reaches_nobody(shop: TestShop) -> None:
    shop.warehouse.contacts["c00"] = ("+8612345", "c00@example.com")
    shop.warehouse.contacts["c01"] = ("+14155550100", None)
    shop.warehouse.contacts["c02"] = (None, "c02@example.com")
    shop.warehouse.contacts["c03"] = ("=1+1", "@c03")
    folder, manifest = published(shop, day(0))
    assert len(lines(folder / "sms.txt")) == 16
    assert manifest.deliveries["sms"].held_back == {"unreachable": 4}


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        ("blacklisted", lambda w: w.suppressions.append(("c00", "blacklisted"))),
        ("open_complaint", lambda w: w.suppressions.append(("c00", "open_complaint"))),
        ("recent_refund", lambda w: w.refunds.append(("c00", day(0) - timedelta(days=13)))),
        (
            "opted_out",
            lambda w: w.consents.update({("c00", channel, "marketing"): False for channel in ("sms", "email")}),
        ),
    ],
)
def test_the_suppressed_are_in_no_file(shop: TestShop, cause: str, fault: object) -> None:
    fault(shop.warehouse)  # type: ignore[operator]
    folder, manifest = published(shop, day(0), holdout="0")
    assert keys_in(folder / "members.parquet") == set(CHAMPIONS[1:])
    assert "13800138000" not in lines(folder / "sms.txt")
    assert manifest.held_back == {cause: 1}
    assert not any(b"c00" in file.read_bytes() for file in folder.glob("*.csv"))


def test_who_is_suppressed_for_several_causes_is_counted_once(shop: TestShop) -> None:
    shop.warehouse.suppressions = [("c00", "open_complaint"), ("c00", "blacklisted"), ("c01", "open_complaint")]
    shop.warehouse.refunds = [("c01", day(0))]
    _, manifest = published(shop, day(0))
    assert manifest.held_back == {"blacklisted": 1, "open_complaint": 1}
    assert manifest.counts.members + sum(manifest.held_back.values()) == 20


def test_a_refund_of_two_weeks_ago_keeps_nobody_out_any_more(shop: TestShop) -> None:
    shop.warehouse.refunds = [("c00", day(0) - timedelta(days=14)), ("c01", day(1))]
    _, manifest = published(shop, day(0))
    assert manifest.held_back == {}


def test_a_refund_keeps_advertising_away_but_not_service(shop: TestShop) -> None:
    shop.warehouse.refunds = [("c00", day(0))]
    shop.warehouse.agree(CHAMPIONS, "sms", purpose="service")
    _, manifest = published(shop, day(0), purpose={"kind": "service", "text": "-"})
    assert manifest.held_back == {}


def test_an_exclusion_list_holds_everybody(shop: TestShop) -> None:
    shop.warehouse.consents = {("c00", "ads", "marketing"): False}
    shop.warehouse.suppressions = [("c01", "blacklisted")]
    _, manifest = published(
        shop, day(0), destinations=["qianchuan"], purpose={"kind": "exclusion", "text": "buyers of late"}
    )
    assert (manifest.held_back, manifest.deliveries["qianchuan"].rows) == ({}, 20)


def test_who_was_merged_into_somebody_is_suppressed_with_them(shop: TestShop) -> None:
    """The marts are of a date at which c00 was a person of their own; the vault knows c00 by the key of c99."""
    shop.warehouse.aliases = [("c00", "c99")]
    shop.warehouse.contacts["c99"] = ("+8613900139000", None)
    del shop.warehouse.contacts["c00"]
    shop.warehouse.spells = [one for one in shop.warehouse.spells if one.customer != "c00"]
    shop.warehouse.enter("new_customer", ["c99"], day(0))
    shop.warehouse.suppressions = [("c99", "blacklisted")]
    _, manifest = published(shop, day(0), include={"segment": "new_customer"})
    assert manifest.held_back == {"blacklisted": 1}


def test_the_holdout_stands_beside_the_members_and_stays_from_day_to_day(shop: TestShop) -> None:
    folder, manifest = published(shop, day(0), holdout="0.3")
    held_out = keys_in(folder / "holdout.parquet")
    assert 0 < len(held_out) < 20
    assert held_out | keys_in(folder / "members.parquet") == set(CHAMPIONS)
    assert manifest.held_back == {"holdout": len(held_out)}
    assert not {phone_of(one).removeprefix("+86") for one in held_out} & set(lines(folder / "sms.txt"))
    folder, _ = published(shop, day(1), holdout="0.3")
    assert keys_in(folder / "holdout.parquet") == held_out


def test_a_person_of_the_holdout_stays_in_it_under_a_new_key(shop: TestShop) -> None:
    folder, _ = published(shop, day(0), holdout="0.3")
    held_out = sorted(keys_in(folder / "holdout.parquet"))[0]
    merged = sorted(keys_in(folder / "members.parquet"))[0]
    shop.warehouse.aliases = [("before", merged), (held_out, "before")]
    folder, _ = published(shop, day(1), holdout="0.3")
    assert merged in keys_in(folder / "holdout.parquet")


def test_of_two_audiences_the_one_of_higher_priority_writes(shop: TestShop) -> None:
    shop.warehouse.enter("interest", CHAMPIONS[:5], day(0))
    both = [
        audience(destinations=["sms", "klaviyo", "meta"], priority=1),
        audience("interest", destinations=["sms"], priority=2),
    ]
    report = shop.publish_day(day(0), both)
    winner = read_audience_manifest(shop.version_of(report, "interest")).deliveries["sms"]
    loser = read_audience_manifest(shop.version_of(report, "champions"))
    assert (winner.people, winner.held_back) == (5, {})
    assert loser.deliveries["sms"].held_back == {"other_audience": 5}
    assert loser.deliveries["klaviyo"].held_back == {"other_audience": 5}
    assert loser.deliveries["meta"].held_back == {"no_consent": 20}, "advertising is not written to a person"
    assert loser.counts.members == 20, "the canonical list is what the rules mean"


def test_an_audience_that_cannot_reach_somebody_takes_them_from_nobody(shop: TestShop) -> None:
    shop.warehouse.enter("interest", ["c00"], day(0))
    shop.warehouse.contacts["c00"] = (None, "c00@example.com")
    report = shop.publish_day(
        day(0),
        [
            audience(destinations=["klaviyo"], priority=1),
            audience("interest", destinations=["canonical", "sms"], priority=2),
        ],
    )
    loser = read_audience_manifest(shop.version_of(report)).deliveries["klaviyo"]
    assert (loser.people, loser.held_back) == (20, {})


def test_enough_is_enough(shop: TestShop) -> None:
    capped = {"destinations": ["canonical", "sms"], "frequency_cap": {"times": 2, "days": 3}}
    for number, people in enumerate([20, 20, 0, 20, 20, 0]):
        folder, manifest = published(shop, day(number), **capped)
        # Two messages in three days; on the third day the file rests, on the fourth the first message is too old.
        assert manifest.deliveries["sms"].people == people, number
        assert manifest.deliveries["sms"].held_back == ({} if people else {"frequency_cap": 20})
        assert (folder / "sms.txt").exists() == bool(people)


def test_a_rerun_of_a_day_counts_nothing_twice(shop: TestShop) -> None:
    capped = {"destinations": ["canonical", "sms"], "frequency_cap": {"times": 1, "days": 3}}
    folder, _ = published(shop, day(0), **capped)
    again, _ = published(shop, day(0), **capped)
    assert again == folder


def test_a_new_phone_makes_a_new_version_and_the_old_one_is_taken_out(shop: TestShop) -> None:
    shop.warehouse.agree(CHAMPIONS, "ads")
    published(shop, day(0), destinations=["canonical", "tencent"])
    shop.warehouse.contacts["c00"] = ("+8613900139000", None)
    _, manifest = published(shop, day(0), destinations=["canonical", "tencent"])
    delivery = manifest.deliveries["tencent"]
    assert (delivery.appended, delivery.reduced, delivery.rows) == (1, 1, 20)
    assert (manifest.counts.added, manifest.counts.removed) == (0, 0)


def test_a_list_that_became_too_small_is_taken_back_whole(shop: TestShop) -> None:
    published(shop, day(0))
    shop.warehouse.consents = {}
    folder, manifest = published(shop, day(1))
    delivery = manifest.deliveries["sms"]
    assert (delivery.full, delivery.reduced) == ((), 20)
    assert len(lines(folder / "sms_reduce.txt")) == 20
    _, manifest = published(shop, day(2))
    assert manifest.deliveries["sms"].reduced == 0, "who was taken out is not taken out again"


def test_too_few_for_a_destination_are_not_published_there(shop: TestShop) -> None:
    shop.warehouse.agree(CHAMPIONS, "ads")
    folder, manifest = published(shop, day(0), destinations=["canonical", "meta", "tiktok"])
    assert manifest.deliveries["meta"].refused == "20 people can be reached there; it takes 100 or more"
    assert not list(folder.glob("meta*"))
    assert manifest.deliveries["meta"].name == manifest.deliveries["tiktok"].name
    assert "champions" not in manifest.deliveries["meta"].name


def test_contacts_leave_no_trace_beside_the_files_that_ask_for_them(shop: TestShop) -> None:
    published(shop, day(0), destinations=["canonical", "sms", "klaviyo"])
    own = shop.home.paths("default")
    asked = {"sms.txt", "klaviyo.csv", "recipients.parquet", own.warehouse.name}
    for file in own.root.rglob("*"):
        if file.is_file() and file.name not in asked:
            content = file.read_bytes()
            assert b"13800138001" not in content, file
            assert b"c01@example.com" not in content, file


def test_publishing_stops_where_consent_arrived_that_was_not_built(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    import duckdb

    with duckdb.connect(str(shop.warehouse.file)) as connection:
        connection.execute("insert into ops.batches values ('b9', 'consent', 'profiles', ?, true)", [day(0)])
    with pytest.raises(GateFailed, match="no audience is published"):
        shop.publish_audiences(day(0), [audience()])


@pytest.mark.parametrize("kind", ["exclusion", "marketing"])
def test_a_shop_that_knows_no_address_publishes_all_the_same(shop: TestShop, kind: str) -> None:
    """Statistics say that the column is null throughout: no expression over it may stumble on that."""
    shop.warehouse.contacts = dict.fromkeys(CHAMPIONS, (None, None))
    shop.warehouse.agree(CHAMPIONS, "ads")
    purpose = {"kind": kind, "text": "Advertise to buyers, or keep them out of it."}
    folder, manifest = published(shop, day(0), destinations=["canonical", "google", "meta"], purpose=purpose)
    assert keys_in(folder / "members.parquet") == set(CHAMPIONS)
    assert manifest.deliveries["google"].held_back == {"unreachable": 20}
