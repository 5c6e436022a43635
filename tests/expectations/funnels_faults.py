"""One fault for every critical check on the marts of funnels; see `marts_faults`."""

from __future__ import annotations

FUNNELS_FAULTS: dict[str, tuple[str, set[str]]] = {
    # -- who tried -----------------------------------------------------------------------------------------------
    "fct_funnel_attempts-key_unique": (
        # Counted twice everywhere: only the list itself shows that it is one attempt.
        "insert into marts.fct_funnel_attempts from marts.fct_funnel_attempts"
        " where grain = 'person' and person_id = 'v9';"
        "update marts.agg_funnel_steps__by_day_source set attempts = 2 where funnel_id = 'purchase'"
        " and grain = 'person' and start_date = '2026-03-01' and source = '(unknown)' and step = 1;"
        "update marts.agg_funnel_steps__by_day_dimension set attempts = 2 where funnel_id = 'purchase'"
        " and grain = 'person' and start_date = '2026-03-01' and dimension_value in ('(unknown)', 'k')"
        " and step = 1 and attempts = 1;"
        "update marts.agg_funnel_steps__by_segment set attempts = 2 where grain = 'person' and attempts = 1", set()),
    "fct_funnel_attempts-person_present": (
        "update marts.fct_funnel_attempts set person_id = null where grain = 'person' and person_id = 'v9'", set()),
    "fct_funnel_attempts-step_exists": (
        # Beyond the last step: the steps up to there still count it.
        "update marts.fct_funnel_attempts set max_step = 5 where grain = 'person' and person_id = 'c2'", set()),
    "fct_funnel_attempts-complete_when_window_is_over": (
        # Nine days after the deposit, and the window of presales is thirty.
        "update marts.fct_funnel_attempts set is_complete = true where funnel_id = 'presale'", set()),
    "fct_funnel_attempts-nothing_after_as_of": (
        "update marts.fct_funnel_attempts set start_date = '2026-03-11' where start_date = '2026-03-10'",
        {"fct_funnel_attempts-counted_in_steps"}),
    "fct_funnel_attempts-counted_in_steps": (
        "update marts.fct_funnel_attempts set max_step = 2 where grain = 'person' and person_id = 'v9'", set()),
    "fct_funnel_attempts-sessions_known": (
        "update marts.fct_funnel_attempts set session_id = 's9' where session_id = 's1'", set()),
    # -- by day --------------------------------------------------------------------------------------------------
    "agg_funnel_steps__by_day_source-key_unique": (
        # A day without attempts: its copy counts nothing twice, but a step is there twice.
        "insert into marts.agg_funnel_steps__by_day_source from marts.agg_funnel_steps__by_day_source"
        " where start_date = '2026-03-05' and step = 1",
        {"agg_funnel_steps__by_day_source-every_step_there"}),
    "agg_funnel_steps__by_day_source-steps_never_grow": (
        # Two attempts of one source as one of each: sums stand, the funnel of a source widens.
        "update marts.agg_funnel_steps__by_day_source set source = if(source = 'search', '(unknown)', 'search')"
        " where start_date = '2026-03-10' and step = 4", set()),
    "agg_funnel_steps__by_day_source-every_step_there": (
        "delete from marts.agg_funnel_steps__by_day_source"
        " where start_date = '2026-03-05' and step = 3 and source = 'search'", set()),
    "agg_funnel_steps__by_day_source-as_of_present": (
        "insert into marts.agg_funnel_steps__by_day_source"
        " select * replace (date '2026-03-11' as start_date) from marts.agg_funnel_steps__by_day_source"
        " where start_date = '2026-03-05'",
        {"agg_funnel_steps__by_day_dimension-attempts_conserved", "agg_funnel_step_times__by_day-reached_conserved"}),
    "agg_funnel_steps__by_day_dimension-key_unique": (
        "insert into marts.agg_funnel_steps__by_day_dimension from marts.agg_funnel_steps__by_day_dimension"
        " where start_date = '2026-03-05' and step = 1", set()),
    "agg_funnel_steps__by_day_dimension-attempts_conserved": (
        # Attempts that name no device are forgotten.
        "delete from marts.agg_funnel_steps__by_day_dimension"
        " where dimension = 'device' and dimension_value = '(unknown)'", set()),
    "agg_funnel_steps__by_day_dimension-steps_never_grow": (
        "update marts.agg_funnel_steps__by_day_dimension"
        " set dimension_value = if(dimension_value = 'app', '(unknown)', 'app')"
        " where dimension = 'device' and start_date = '2026-03-10' and step = 4", set()),
    "agg_funnel_step_times__by_day-key_unique": (
        "insert into marts.agg_funnel_step_times__by_day from marts.agg_funnel_step_times__by_day"
        " where start_date = '2026-03-05' and step = 2 and grain = 'session'", set()),
    "agg_funnel_step_times__by_day-reached_conserved": (
        "update marts.agg_funnel_step_times__by_day set reached_attempts = 2"
        " where funnel_id = 'purchase' and start_date = '2026-03-10' and step = 2", set()),
    "agg_funnel_step_times__by_day-times_in_order": (
        "update marts.agg_funnel_step_times__by_day set p90_seconds = 59 where start_date = '2026-03-10'", set()),
    # -- by segment ----------------------------------------------------------------------------------------------
    "agg_funnel_steps__by_segment-key_unique": (
        "insert into marts.agg_funnel_steps__by_segment from marts.agg_funnel_steps__by_segment"
        " where segment_id = 'interest' and step = 1", set()),
    "agg_funnel_steps__by_segment-everybody_conserved": (
        # Nobody counts who is in no segment.
        "update marts.agg_funnel_steps__by_segment set attempts = 0", set()),
    "agg_funnel_steps__by_segment-parts_of_everybody": (
        "update marts.agg_funnel_steps__by_segment set attempts = 2 where segment_id = 'interest' and step = 1", set()),
    "agg_funnel_steps__by_segment-segments_known": (
        "update marts.agg_funnel_steps__by_segment set segment_id = 'slip' where segment_id = 'interest'", set()),
    "agg_funnel_steps__by_segment-as_of_is_the_runs": (
        "update marts.agg_funnel_steps__by_segment set as_of_date = '2026-03-09' where segment_id = 'interest'", set()),
    # -- left behind ---------------------------------------------------------------------------------------------
    "fct_abandoned_carts-key_unique": (
        "insert into marts.fct_abandoned_carts from marts.fct_abandoned_carts where person_id = 'v9'", set()),
    "fct_abandoned_carts-times_in_order": (
        "update marts.fct_abandoned_carts set due_at = carted_at - interval 1 second where person_id = 'v9'", set()),
    "fct_abandoned_carts-customers_known": (
        "update marts.fct_abandoned_carts set customer_key = 'stranger', person_id = 'stranger'"
        " where person_id = 'c1'", set()),
    "fct_abandoned_carts-not_ordered_since": (
        # c2 has ordered i2 with o3, an hour before midnight in the shop's zone.
        "insert into marts.fct_abandoned_carts select * replace ('c2' as person_id, 'c2' as customer_key,"
        " timestamp '2026-03-09 23:00' as first_carted_at, timestamp '2026-03-09 23:00' as carted_at)"
        " from marts.fct_abandoned_carts where person_id = 'v9'", set()),
    "fct_abandoned_carts-as_of_is_the_runs": (
        "update marts.fct_abandoned_carts set as_of_date = '2026-03-09' where person_id = 'v9'", set()),
    "fct_unpaid_orders-key_unique": (
        "insert into marts.fct_unpaid_orders from marts.fct_unpaid_orders", set()),
    "fct_unpaid_orders-orders_conserved": (
        # The platform has closed the order in the meantime.
        "update marts.fct_orders set status_code = 'closed_unpaid' where order_id = 'o4'", set()),
    "fct_unpaid_orders-due_after_order": (
        "update marts.fct_unpaid_orders set due_at = ordered_at - interval 1 second", set()),
    "fct_unpaid_orders-as_of_is_the_runs": (
        "update marts.fct_unpaid_orders set as_of_date = '2026-03-09'", set()),
    # -- birthdays -----------------------------------------------------------------------------------------------
    "fct_upcoming_birthdays-key_unique": (
        "insert into marts.fct_upcoming_birthdays from marts.fct_upcoming_birthdays", set()),
    "fct_upcoming_birthdays-are_members": (
        "update marts.fct_upcoming_birthdays set customer_key = 'c1'", set()),
    "fct_upcoming_birthdays-soon": (
        "update marts.fct_upcoming_birthdays set days_until = 31, celebrated_date = '2026-04-10'", set()),
}  # fmt: skip
