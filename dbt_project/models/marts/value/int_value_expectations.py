"""Grain: base (days before D) x history (repeats, last and age in days). What customers with such a history will do.

Definition: docs/definitions/value.md
"""


def model(dbt, session):
    from renqun.value.shop import value_expectations

    histories = "base_age_days, repeat_deal_days, recency_days_from_first, customer_age_days"
    return value_expectations(
        dbt.ref("int_customer_repeats").aggregate(histories, histories).order(histories).fetchnumpy(),
        dbt.ref("int_value_parameters").fetchnumpy(),
        int(dbt.config.get("horizon_days")),
    )
