"""Grain: source that is a state of the chain. What would be lost without it: see renqun.attribution.markov."""


def model(dbt, session):
    """Solve the chain of int_markov_transitions."""
    dbt.config(materialized="table", schema="intermediate", contract={"enforced": False})
    from renqun.attribution.markov import Transition, removal_effects

    chain = dbt.ref("int_markov_transitions").filter("transitions > 0")
    counted = chain.project("from_source, to_source, is_conversion, transitions").fetchall()
    effects = removal_effects([Transition(*row) for row in counted])
    return session.sql(
        "select unnest(cast($sources as varchar[])) as source, unnest(cast($effects as double[])) as removal_effect",
        params={
            "sources": [effect.source for effect in effects],
            "effects": [effect.removal_effect for effect in effects],
        },
    )
