"""One fault for every critical check on what came of audiences; see marts_faults."""

from __future__ import annotations

_OUTCOMES, _LIFT = "marts.fct_audience_outcomes", "marts.agg_audience_lift"

FAULTS: dict[str, tuple[str, set[str]]] = {
    "fct_audience_outcomes-key_unique": (
        f"insert into {_OUTCOMES} from {_OUTCOMES} where customer_key = 'c1'",
        {"fct_audience_outcomes-deals_conserved"}),
    "fct_audience_outcomes-windows_follow_the_list": (
        f"update {_OUTCOMES} set is_complete = false where customer_key = 'c1';"
        f"update {_LIFT} set contacted_customers = 0", set()),
    "fct_audience_outcomes-arms_are_known": (
        f"update {_OUTCOMES} set holdout_share = 1 where customer_key = 'c2'", set()),
    "fct_audience_outcomes-deals_conserved": (
        f"update {_OUTCOMES} set net_amount = 50 where customer_key = 'c1'", set()),
    "agg_audience_lift-key_unique": (
        f"update {_LIFT} set period = 'all'", set()),
    "agg_audience_lift-customers_conserved": (
        f"update {_LIFT} set holdout_customers = 0 where period = 'all'", set()),
    "agg_audience_lift-intervals_hold_their_difference": (
        f"update {_LIFT} set rate_difference_low = 1.01", set()),
    "agg_audience_lift-no_verdict_without_people": (
        f"update {_LIFT} set verdict = 'gain', rate_difference = null", set()),
}  # fmt: skip
