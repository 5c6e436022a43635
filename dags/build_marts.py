"""
### Build marts

**Purpose** – turn accepted raw into audited marts and publish them as one immutable version.

**Inputs** – every accepted batch that no build has consumed yet; the asset `<shop>/exports` starts a run.

**Outputs** – `<home>/<shop>/published/marts/as_of=<date>/<version>/` and `latest`; the asset `<shop>/marts`, announced
for the as-of date that was built.

**Schedule** – whenever `<shop>/exports` is announced; a run with nothing new ends by skipping.

**Owner** data-engineering · **tier** 1

**May I clear it?** Yes, from any task on: dbt resumes with what had failed. **May I backfill it?** Not here:
backfill the ingest DAGs, the builds follow. A past date on purpose: conf `{"date": D, "as_of": D}`.

**What breaks downstream?** No new marts, hence no new audiences; what was published stays.

**Runbook** – `docs/runbooks/build_marts.md`
"""

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from renqun.airflow.wiring import after, exports, gate, marts, shop_dag, shops_to_parse, writer
from renqun.settings import Shop


def build_marts_of(shop: Shop) -> None:
    asset = marts(shop)
    tags = ["stage/build", "domain/marts", "impact/tier_1"]
    with shop_dag("build_marts", shop, schedule=after(exports(shop)), doc=__doc__, tags=tags):

        @task(**writer(shop))
        def plan_build(dag_run=None):
            """Decide what to build as of which date; end the run where nothing is new."""
            from renqun.airflow import stages

            if plan := stages.plan(shop.id, dag_run):
                return plan
            raise AirflowSkipException("nothing is new since the last build")

        @task(**writer(shop))
        def build_staging(plan, dag_run=None):
            """Staging and intermediate models: one dbt process."""
            from renqun.airflow import stages

            return stages.build(shop.id, dag_run, plan, "staging")

        @task(**gate(shop))
        def gate_staging(plan, dag_run=None):
            """Audit staging: every row that was read is staged or in quarantine."""
            from renqun.airflow import stages

            return stages.check_staging(shop.id, dag_run, plan)

        @task(**writer(shop))
        def build_marts(plan, dag_run=None):
            """The marts: one dbt process."""
            from renqun.airflow import stages

            return stages.build(shop.id, dag_run, plan, "marts")

        @task(**gate(shop))
        def gate_marts(plan, dag_run=None):
            """Audit the marts: do totals agree, is it like the days before?"""
            from renqun.airflow import stages

            return stages.check_marts(shop.id, dag_run, plan)

        @task(**writer(shop), outlets=[asset])
        def publish_marts(plan, dag_run=None, outlet_events=None):
            """Publish the audited marts as one immutable version, and announce their as-of date."""
            from renqun.airflow import stages

            outlet_events[asset].add_partitions(plan["as_of"])
            return stages.publish(shop.id, dag_run, plan)

        plan = plan_build()
        staged = build_staging(plan) >> gate_staging(plan)
        staged >> build_marts(plan) >> gate_marts(plan) >> publish_marts(plan)


for each_shop in shops_to_parse():
    build_marts_of(each_shop)
