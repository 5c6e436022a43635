"""One fault for every critical check on attribution, pairs and launches; see marts_faults."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, set[str]]] = {
    # -- credits -------------------------------------------------------------------------------------------------
    "fct_attribution_credits-key_unique": (
        # Half of an order twice in place of the whole: every sum stands.
        "update marts.fct_attribution_credits set credit_amount = 40, credit_net_amount = 40, credit_orders = 0.5"
        " where attribution_model = 'last' and order_id = 'o3';"
        "insert into marts.fct_attribution_credits from marts.fct_attribution_credits"
        " where attribution_model = 'last' and order_id = 'o3'", set()),
    "fct_attribution_credits-orders_are_whole": (
        "update marts.fct_attribution_credits set credit_amount = 79.99"
        " where attribution_model = 'markov' and order_id = 'o3'", set()),
    "fct_attribution_credits-no_touch_is_told": (
        "update marts.fct_attribution_credits set source = 'search'"
        " where attribution_model = 'linear' and order_id = 'o5'", set()),
    # -- by month ------------------------------------------------------------------------------------------------
    "agg_attribution__by_month_source-key_unique": (
        "insert into marts.agg_attribution__by_month_source from marts.agg_attribution__by_month_source"
        " where attribution_model = 'platform_traffic'", set()),
    "agg_attribution__by_month_source-sales_conserved": (
        "update marts.agg_attribution__by_month_source set paid_amount = 80.01"
        " where attribution_model = 'position' and source = 'search'", set()),
    "agg_attribution__by_month_source-cost_conserved": (
        # A second name of the channel has its cost again.
        "update marts.agg_attribution__by_month_source set cost_amount = 6 where source = 'search'", set()),
    "agg_attribution__by_month_source-claims_are_told_as_claims": (
        "update marts.agg_attribution__by_month_source set basis = 'touches'"
        " where attribution_model = 'platform_traffic'", set()),
    # -- removal effects -----------------------------------------------------------------------------------------
    "agg_markov_removal_effects-key_unique": (
        # The visit counts for one of the two: sums stand.
        "insert into marts.agg_markov_removal_effects values ('shop', '2026-03-10', 'search', 0, 0, 0, 0.0)", set()),
    "agg_markov_removal_effects-as_of_is_the_runs": (
        "update marts.agg_markov_removal_effects set as_of_date = '2026-03-09' where source = 'search'", set()),
    "agg_markov_removal_effects-effects_in_range": (
        "update marts.agg_markov_removal_effects set removal_effect = 1.1 where source = 'search'", set()),
    "agg_markov_removal_effects-visits_conserved": (
        "update marts.agg_markov_removal_effects set visits = 2 where source = 'search'", set()),
    # -- pairs ---------------------------------------------------------------------------------------------------
    "agg_item_pairs-key_unique": (
        "insert into marts.agg_item_pairs from marts.agg_item_pairs where kind = 'viewed' and item_id = 'i1'", set()),
    "agg_item_pairs-as_of_is_the_runs": (
        "update marts.agg_item_pairs set as_of_date = null where kind = 'viewed'", set()),
    "agg_item_pairs-counts_are_ordered": (
        # From either side alike: five times together, in two sessions.
        "update marts.agg_item_pairs set support_count = 5 where kind = 'viewed'", set()),
    "agg_item_pairs-same_from_either_side": (
        "update marts.agg_item_pairs set item_count = 2 where kind = 'viewed' and item_id = 'i1'", set()),
    "agg_item_pairs-bought_baskets_conserved": (
        "update marts.agg_item_pairs set basket_count = 5 where kind = 'bought'", set()),
    # -- launches ------------------------------------------------------------------------------------------------
    "agg_item_launches__by_day-key_unique": (
        # A day without sales: its copy sells nothing twice.
        "insert into marts.agg_item_launches__by_day from marts.agg_item_launches__by_day where day_number = 0", set()),
    "agg_item_launches__by_day-every_day_there": (
        "delete from marts.agg_item_launches__by_day where day_number = 3", set()),
    "agg_item_launches__by_day-days_to_come_are_empty": (
        "update marts.agg_item_launches__by_day set views = 0 where day_number = 4", set()),
    "agg_item_launches__by_day-items_known": (
        # An item that sold nothing, of which nobody knows.
        "insert into marts.agg_item_launches__by_day"
        " select * replace ('i9' as item_id, paid_amount * 0 as paid_amount,"
        " cumulative_paid_amount * 0 as cumulative_paid_amount) from marts.agg_item_launches__by_day", set()),
    "agg_item_launches__by_day-sales_conserved": (
        "update marts.agg_item_launches__by_day set paid_amount = 79 where day_number = 2", set()),
}  # fmt: skip
