"""
### Publish audiences

**Purpose** – select the members of every audience from published marts, audit them, write files, read the files back,
audit those, and only then make them visible.

**Inputs** – `<home>/<shop>/published/marts/as_of=<date>/`, the audience definitions, consent and suppression as they
are now; the asset `<shop>/marts` starts a run.

**Outputs** – `<home>/<shop>/published/audiences/<audience>/as_of=<date>/<version>/` and `latest.json`; the asset
`<shop>/audiences`.

**Schedule** – whenever `<shop>/marts` is announced.

**Owner** data-engineering · **tier** 1

**May I clear it?** Yes: the same input gives the same version. **May I backfill it?** Not here: backfill the ingest
DAGs.

**What breaks downstream?** Ad platforms, CRM and SMS keep the files of the last good version.

**Runbook** – `docs/runbooks/publish_audiences.md`
"""

from airflow.sdk import task

from renqun.airflow.wiring import after, audiences, gate, marts, shop_dag, shops_to_parse, writer
from renqun.settings import Shop


def publish_audiences_of(shop: Shop) -> None:
    asset = audiences(shop)
    tags = ["stage/publish", "domain/audiences", "impact/tier_1"]
    with shop_dag("publish_audiences", shop, schedule=after(marts(shop)), doc=__doc__, tags=tags):

        @task(**writer(shop))
        def select_members(dag_run=None):
            """Members, minus exclusions, minus suppression and missing consent, minus holdout."""
            from renqun.airflow import stages

            return stages.select(shop.id, dag_run)

        @task(**gate(shop))
        def gate_audience(dag_run=None):
            """Audit the selected rows of every audience."""
            from renqun.airflow import stages

            return stages.check_audience(shop.id, dag_run)

        @task(**writer(shop))
        def write_files(dag_run=None):
            """Write every audience's files into a folder beside their place."""
            from renqun.airflow import stages

            return stages.write(shop.id, dag_run)

        @task(**gate(shop))
        def gate_published(dag_run=None):
            """Read the written files back and audit those."""
            from renqun.airflow import stages

            return stages.check_published(shop.id, dag_run)

        @task(**writer(shop), outlets=[asset])
        def promote_audiences(dag_run=None, outlet_events=None):
            """Make the audited versions visible, the pointer last, and announce the as-of date."""
            from renqun.airflow import stages

            promoted = stages.promote_audiences(shop.id, dag_run)
            outlet_events[asset].add_partitions(promoted["as_of"])
            return promoted

        select_members() >> gate_audience() >> write_files() >> gate_published() >> promote_audiences()


for each_shop in shops_to_parse():
    publish_audiences_of(each_shop)
