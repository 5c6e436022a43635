"""Grain: base (days before D) x model x parameter. BG/NBD and Gamma-Gamma, fitted on the shop's customers.

Definition: docs/definitions/value.md
"""


def model(dbt, session):
    from renqun.value.shop import value_parameters

    histories = "base_age_days, repeat_deal_days, recency_days_from_first, customer_age_days, repeat_amount"
    customers = dbt.ref("int_customer_repeats").aggregate(f"{histories}, count(*) as customers", histories)
    return value_parameters(
        customers.order(histories).fetchnumpy(),
        base_ages=(0, int(dbt.config.get("horizon_days"))),
        min_customers=int(dbt.config.get("min_customers")),
        min_repeaters=int(dbt.config.get("min_repeaters")),
    )
