"""One fault for every critical check on stages, flows, tags, categories and item repurchase; see marts_faults."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, set[str]]] = {
    # -- stages --------------------------------------------------------------------------------------------------
    "fct_customer_stages-key_unique": (
        # A second row of c3 without an AIPL stage: of the lifecycle there is one more than moved.
        "insert into marts.fct_customer_stages values ('shop', '2026-03-10', 'c3', null, 'prospect', false)",
        {"agg_stage_flows__by_day-sums_by_to_are_sizes_now"}),
    "fct_customer_stages-as_of_is_the_runs": (
        "update marts.fct_customer_stages set as_of_date = '2026-03-09' where customer_key = 'c1'", set()),
    "fct_customer_stages-every_customer_once": (
        "insert into marts.dim_customers values ('shop', 'c4', ['m4'], 1, null, false, null, null)",
        {"agg_segment_profiles-parts_are_the_segment"}),
    "fct_customer_stages-stages_known": (
        "update marts.fct_customer_stages set lifecycle_stage = 'asleep' where customer_key = 'c1'",
        {"agg_stage_flows__by_day-sums_by_to_are_sizes_now", "fct_customer_stage_spells-open_stays_are_the_stages"}),
    "fct_customer_stages-prospects_have_no_deal": (
        # c2 and c3 change places: sizes stand, the history of either does not.
        "update marts.fct_customer_stages set lifecycle_stage = if(customer_key = 'c2', 'prospect', 'new')"
        " where customer_key <> 'c1'",
        {"fct_customer_stage_spells-open_stays_are_the_stages"}),
    # -- stays ---------------------------------------------------------------------------------------------------
    "fct_customer_stage_spells-key_unique": (
        "insert into marts.fct_customer_stage_spells from marts.fct_customer_stage_spells"
        " where exited_on is not null and stage_kind = 'aipl'", set()),
    "fct_customer_stage_spells-one_open_stay": (
        "insert into marts.fct_customer_stage_spells values"
        " ('shop', 'aipl', 'c3', 'interest', '2026-03-08', null)", set()),
    "fct_customer_stage_spells-leaves_after_entering": (
        "update marts.fct_customer_stage_spells set exited_on = entered_on"
        " where exited_on is not null and stage_kind = 'aipl'", set()),
    "fct_customer_stage_spells-nothing_after_as_of": (
        "update marts.fct_customer_stage_spells set entered_on = '2026-03-11' where stage = 'purchase'", set()),
    "fct_customer_stage_spells-open_stays_are_the_stages": (
        "update marts.fct_customer_stage_spells set stage = 'awareness' where stage = 'purchase'", set()),
    # -- flows ---------------------------------------------------------------------------------------------------
    "agg_stage_flows__by_day-key_unique": (
        # One cell of two as two cells of one: every sum stands.
        "update marts.agg_stage_flows__by_day set customers = 1 where customers = 2;"
        "insert into marts.agg_stage_flows__by_day from marts.agg_stage_flows__by_day"
        " where as_of_date = '2026-03-09' and to_stage = 'prospect'", set()),
    "agg_stage_flows__by_day-nothing_after_as_of": (
        # Of a kind that has no stages: nothing to add up.
        "insert into marts.agg_stage_flows__by_day values ('shop', 'other', '(new)', '(lost)', 1, '2026-03-11')",
        {"agg_stage_flows__by_day-sums_by_from_are_sizes_then"}),
    "agg_stage_flows__by_day-sums_by_to_are_sizes_now": (
        "update marts.agg_stage_flows__by_day set to_stage = 'awareness'"
        " where as_of_date = '2026-03-10' and from_stage = '(new)'", set()),
    "agg_stage_flows__by_day-sums_by_from_are_sizes_then": (
        "update marts.agg_stage_flows__by_day set from_stage = 'awareness'"
        " where as_of_date = '2026-03-10' and from_stage = 'interest'", set()),
    # -- tags and categories -------------------------------------------------------------------------------------
    "fct_customer_tags-key_unique": (
        "insert into marts.fct_customer_tags from marts.fct_customer_tags where tag_id = 'trend_follower'", set()),
    "fct_customer_tags-as_of_is_the_runs": (
        "update marts.fct_customer_tags set as_of_date = null where tag_id = 'trend_follower'", set()),
    "fct_customer_tags-customers_known": (
        "update marts.fct_customer_tags set customer_key = 'stranger' where tag_id = 'trend_follower'", set()),
    "fct_customer_tags-score_is_its_parts": (
        "update marts.fct_customer_tags set score = 0.4 where tag_id = 'price_sensitive'", set()),
    "fct_customer_tags-tag_known": (
        "update marts.fct_customer_tags set tag_id = 'lucky' where tag_id = 'trend_follower'", set()),
    "fct_customer_categories-key_unique": (
        # One third of c1 twice and another not at all: the shares are whole.
        "update marts.fct_customer_categories set category_id = 'k1' where category_id = 'k2'", set()),
    "fct_customer_categories-as_of_is_the_runs": (
        "update marts.fct_customer_categories set as_of_date = '2026-03-09' where category_id = 'k3'", set()),
    "fct_customer_categories-customers_known": (
        "update marts.fct_customer_categories set customer_key = 'stranger' where customer_key = 'c2'", set()),
    "fct_customer_categories-shares_are_whole": (
        "update marts.fct_customer_categories set share = 0.9 where customer_key = 'c2'", set()),
    # -- item repurchase -----------------------------------------------------------------------------------------
    "fct_item_repurchase-key_unique": (
        "insert into marts.fct_item_repurchase from marts.fct_item_repurchase where item_id = 'i2'", set()),
    "fct_item_repurchase-as_of_is_the_runs": (
        "update marts.fct_item_repurchase set as_of_date = '2026-03-09' where item_id = 'i2'", set()),
    "fct_item_repurchase-items_known": (
        "update marts.fct_item_repurchase set item_id = 'i9' where item_id = 'i2'", set()),
    "fct_item_repurchase-repeat_buyers_are_buyers": (
        "update marts.fct_item_repurchase set repeat_buyers = 3 where item_id = 'i2'", set()),
    "fct_item_repurchase-high_is_eligible_and_above_zero": (
        "update marts.fct_item_repurchase set is_rate_high = true where item_id = 'i2'", set()),
    "fct_item_repurchase_due-key_unique": (
        "insert into marts.fct_item_repurchase_due from marts.fct_item_repurchase_due", set()),
    "fct_item_repurchase_due-as_of_is_the_runs": (
        "update marts.fct_item_repurchase_due set as_of_date = '2026-03-09'", set()),
    "fct_item_repurchase_due-customers_known": (
        "update marts.fct_item_repurchase_due set customer_key = 'stranger'", set()),
    "fct_item_repurchase_due-due_between_its_dates": (
        "update marts.fct_item_repurchase_due set due_to_date = '2026-03-09'", set()),
    "fct_item_repurchase_due-items_are_bought_again": (
        "update marts.fct_item_repurchase_due set item_id = 'i2'", set()),
}  # fmt: skip
