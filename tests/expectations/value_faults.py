"""One fault for every critical check on cohorts' retention and on the value of customers; see marts_faults."""

from __future__ import annotations

_MONTH = "marts.agg_cohort_retention__by_month"
_WEEK = "marts.agg_cohort_retention__by_week"
_DIMENSION = "marts.agg_cohort_retention__by_month_dimension"

FAULTS: dict[str, tuple[str, set[str]]] = {
    # -- cohorts by month ----------------------------------------------------------------------------------------
    "agg_cohort_retention__by_month-key_unique": (
        f"insert into {_MONTH} from {_MONTH} where cohort_month = '2026-01-01' and period = 2",
        {"agg_cohort_retention__by_month-reaches_the_as_of_month"}),
    "agg_cohort_retention__by_month-size_constant": (
        f"update {_MONTH} set cohort_size = 2 where cohort_month = '2026-01-01' and period = 2", set()),
    "agg_cohort_retention__by_month-everybody_is_there_at_first": (
        f"update {_MONTH} set retained_customers = 0 where cohort_month = '2026-03-01' and period = 0", set()),
    "agg_cohort_retention__by_month-reaches_the_as_of_month": (
        f"delete from {_MONTH} where cohort_month = '2026-01-01' and period = 2", set()),
    "agg_cohort_retention__by_month-cells_agree": (
        f"update {_MONTH} set masked_ltv = 80 where cohort_month = '2026-03-01'", set()),
    "agg_cohort_retention__by_month-customers_conserved": (
        f"update {_MONTH} set refunded_amount_by_refund_date = 0", set()),
    # -- cohorts by week -----------------------------------------------------------------------------------------
    "agg_cohort_retention__by_week-key_unique": (
        f"insert into {_WEEK} from {_WEEK} where cohort_week = '2026-01-05' and period = 2",
        {"agg_cohort_retention__by_week-reaches_the_as_of_week"}),
    "agg_cohort_retention__by_week-reaches_the_as_of_week": (
        f"update {_WEEK} set cohort_week = '2026-03-10' where cohort_week = '2026-03-09'", set()),
    "agg_cohort_retention__by_week-cells_agree": (
        f"update {_WEEK} set retained_customers = 2 where cohort_week = '2026-01-05' and period = 5", set()),
    "agg_cohort_retention__by_week-customers_conserved": (
        f"update {_WEEK} set paid_amount = 81, net_amount = 81 where cohort_week = '2026-03-09'", set()),
    # -- cohorts by what customers began with --------------------------------------------------------------------
    "agg_cohort_retention__by_month_dimension-key_unique": (
        f"insert into {_DIMENSION} from {_DIMENSION} where dimension_value = 'fan' and period = 1",
        {"agg_cohort_retention__by_month_dimension-reaches_the_as_of_month"}),
    "agg_cohort_retention__by_month_dimension-reaches_the_as_of_month": (
        f"delete from {_DIMENSION} where dimension_value = 'search' and period = 2", set()),
    "agg_cohort_retention__by_month_dimension-cells_agree": (
        f"update {_DIMENSION} set retained_customers = 0 where dimension_value = 'search' and period = 0", set()),
    "agg_cohort_retention__by_month_dimension-customers_conserved": (
        f"delete from {_DIMENSION} where dimension_value = '(unknown)' and dimension = 'first_category'", set()),
    "agg_cohort_retention__by_month_dimension-relationships_conserved": (
        f"delete from {_DIMENSION} where dimension_value = 'fan'", set()),
    # -- value ---------------------------------------------------------------------------------------------------
    "fct_customer_value-key_unique": (
        # A copy with nothing in it takes the place of somebody else.
        "update marts.fct_customer_value set customer_key = 'c1'", set()),
    "fct_customer_value-rows_make_sense": (
        "update marts.fct_customer_value set p_alive = 1.000001 where customer_key = 'c1'", set()),
    "fct_customer_value-customers_conserved": (
        "update marts.fct_customer_value set repeat_deal_days = 2 where customer_key = 'c1'", set()),
    "agg_value_parameters-key_unique": (
        "update marts.agg_value_parameters set parameter = 'r' where parameter = 'b'", set()),
    "agg_value_parameters-fitted_or_a_reason": (
        "update marts.agg_value_parameters set value = null where parameter = 'q'", set()),
    "agg_value_parameters-models_are_whole": (
        "delete from marts.agg_value_parameters where parameter = 'q' and base_date = '2026-02-08'", set()),
    "agg_value_calibration-key_unique": (
        "insert into marts.agg_value_calibration select * replace (0 as customers, 0 as actual_value)"
        " from marts.agg_value_calibration", set()),
    "agg_value_calibration-customers_conserved": (
        "update marts.agg_value_calibration set customers = 2", set()),
}  # fmt: skip
