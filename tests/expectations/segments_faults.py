"""One fault for every critical check on the marts of segments; see `marts_faults`."""

from __future__ import annotations

SEGMENTS_FAULTS: dict[str, tuple[str, set[str]]] = {
    # -- who is inside -------------------------------------------------------------------------------------------
    "fct_segment_memberships-key_unique": (
        "insert into marts.fct_segment_memberships from marts.fct_segment_memberships where segment_id = 'champions'",
        set()),
    "fct_segment_memberships-one_open_stay": (
        "insert into marts.fct_segment_memberships values"
        " ('shop', 'interest', 'c3', '{}', '2026-03-01', null, null);"
        "update marts.agg_segment_sizes__by_day set customers = 2, entered = 1"
        " where segment_id = 'interest' and as_of_date = '2026-03-10'",
        {"agg_segment_overlaps-itself_is_its_size", "agg_segment_values-customers_are_its_size",
         "agg_segment_profiles-segment_is_its_size"}),
    "fct_segment_memberships-leaves_after_entering": (
        "update marts.fct_segment_memberships set entered_on = exited_on where segment_id = 'champions'", set()),
    "fct_segment_memberships-nothing_after_as_of": (
        "update marts.fct_segment_memberships set exited_on = '2026-03-11' where segment_id = 'champions'", set()),
    "fct_segment_memberships-members_are_customers": (
        "update marts.fct_segment_memberships set customer_key = 'stranger' where customer_key = 'c3'", set()),
    "fct_segment_memberships-segment_known": (
        "insert into marts.fct_segment_memberships values"
        " ('shop', 'slip', 'c1', '{}', '2026-03-10', null, null)", set()),
    "fct_segment_memberships-reason_given": (
        "update marts.fct_segment_memberships set reason = 'because' where customer_key = 'c1'", set()),
    "fct_segment_memberships-leaving_explained": (
        "update marts.fct_segment_memberships set exited_reason = null where segment_id = 'champions'", set()),
    "fct_segment_memberships-one_stage_at_a_time": (
        # Every report tells of c2 in both stages.
        "insert into marts.fct_segment_memberships values"
        " ('shop', 'lifecycle_active', 'c2', '{}', '2026-03-10', null, null);"
        "update marts.agg_segment_sizes__by_day set customers = 1, entered = 1"
        " where segment_id = 'lifecycle_active' and as_of_date = '2026-03-10';"
        "update marts.agg_segment_overlaps set customers = 1, segment_customers = 1"
        " where segment_id = 'lifecycle_active' and other_segment_id = 'lifecycle_active';"
        "update marts.agg_segment_values set customers = 1 where segment_id = 'lifecycle_active'", set()),
    "fct_segment_memberships-classes_are_the_base": (
        "update marts.fct_customer_rfm set rfm_class = 'champions' where customer_key = 'c1'", set()),
    "fct_segment_memberships-key_operating_is_the_union": (
        "update marts.fct_segment_memberships set customer_key = 'c1'"
        " where segment_id = 'key_operating' and customer_key = 'c3'", set()),
    # -- how many ------------------------------------------------------------------------------------------------
    "agg_segment_sizes__by_day-key_unique": (
        "insert into marts.agg_segment_sizes__by_day from marts.agg_segment_sizes__by_day"
        " where segment_id = 'repurchase' and as_of_date = '2026-03-10'", set()),
    "agg_segment_sizes__by_day-as_of_present": (
        "delete from marts.agg_segment_sizes__by_day where segment_id = 'repurchase' and as_of_date = '2026-03-10'",
        {"agg_segment_overlaps-itself_is_its_size"}),
    "agg_segment_sizes__by_day-nothing_after_as_of": (
        "insert into marts.agg_segment_sizes__by_day values ('shop', '2026-03-11', 'repurchase', 0, 0, 0)", set()),
    "agg_segment_sizes__by_day-yesterday_and_moves_are_today": (
        "update marts.agg_segment_sizes__by_day set exited = 0"
        " where segment_id = 'champions' and as_of_date = '2026-03-10'", set()),
    "agg_segment_sizes__by_day-size_is_members_inside": (
        # The day's moves agree with the wrong size, the lists do not.
        "update marts.agg_segment_sizes__by_day set customers = 2, entered = 2"
        " where segment_id = 'new_customer' and as_of_date = '2026-03-10'",
        {"agg_segment_overlaps-itself_is_its_size", "agg_segment_values-customers_are_its_size",
         "agg_segment_profiles-segment_is_its_size"}),
    # -- what they are -------------------------------------------------------------------------------------------
    "dim_segments-key_unique": (
        "insert into marts.dim_segments from marts.dim_segments where segment_id = 'repurchase'", set()),
    "dim_segments-is_the_catalogue": (
        "insert into marts.dim_segments values ('shop', 'slip', 'rfm', 'Slip', '误', 'nothing', '无')", set()),
    "dim_segments-has_words": (
        "update marts.dim_segments set definition = 'the last {days} days' where segment_id = 'repurchase'", set()),
    # -- overlaps, values, profiles ------------------------------------------------------------------------------
    "agg_segment_overlaps-key_unique": (
        "insert into marts.agg_segment_overlaps from marts.agg_segment_overlaps"
        " where segment_id = 'repurchase' and other_segment_id = 'interest'", set()),
    "agg_segment_overlaps-every_pair_there": (
        "delete from marts.agg_segment_overlaps where segment_id = 'repurchase' and other_segment_id = 'interest'",
        set()),
    "agg_segment_overlaps-itself_is_its_size": (
        "update marts.agg_segment_overlaps set customers = 1, segment_customers = 1"
        " where segment_id = 'repurchase' and other_segment_id = 'repurchase'", set()),
    "agg_segment_overlaps-same_both_ways": (
        "update marts.agg_segment_overlaps set customers = 0"
        " where segment_id = 'new_customer' and other_segment_id = 'key_operating'", set()),
    "agg_segment_values-key_unique": (
        "insert into marts.agg_segment_values from marts.agg_segment_values where segment_id = 'repurchase'", set()),
    "agg_segment_values-customers_are_its_size": (
        "update marts.agg_segment_values set customers = 1 where segment_id = 'repurchase'", set()),
    "agg_segment_values-counts_are_ordered": (
        "update marts.agg_segment_values set repurchased_customers_30d = 1 where segment_id = 'repurchase'", set()),
    "agg_segment_values-classes_bring_the_deals": (
        "update marts.agg_segment_values set deal_customers = 0, observable_customers_30d = 0"
        " where segment_id = 'general_winback'", set()),
    "agg_segment_profiles-key_unique": (
        "insert into marts.agg_segment_profiles from marts.agg_segment_profiles where feature = 'crowd'", set()),
    "agg_segment_profiles-parts_are_the_segment": (
        "update marts.agg_segment_profiles set customers = 1"
        " where segment_id = 'interest' and feature_value = 'near'", set()),
    "agg_segment_profiles-segment_is_its_size": (
        "update marts.agg_segment_profiles set segment_customers = 2 where feature = 'crowd'", set()),
    "agg_segment_profiles-small_groups_have_no_tgi": (
        "update marts.agg_segment_profiles set tgi = 300 where segment_id = 'interest' and feature_value = 'far'",
        set()),
}  # fmt: skip
