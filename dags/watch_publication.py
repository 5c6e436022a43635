"""
### Watch publication

**Purpose** – say so, once, where a business date is not published by the hour that the shop has set (`publish_by`).

**Inputs** – `<home>/<shop>/published/`; it reads and changes nothing.

**Outputs** – an alert on the shop's channels, at the hour, where the date is not there: whatever the reason, a file
that did not come, a paused DAG, a build that hangs.

**Schedule** – daily when the first expected export is ready, in the shop's zone; the partition key is the day before.
The run waits for the publication without holding a slot; its deadline is the shop's hour. Shops that have set no hour
have no such DAG.

**Owner** data-engineering · **tier** 2

**May I clear it?** Yes: the same date is told once. **May I backfill it?** There is nothing to be gained by it.

**What breaks downstream?** Nothing.

**Runbook** – `docs/runbooks/late.md`
"""

from airflow.sdk import task

from renqun.airflow.wiring import after_first_export, publication_deadline, shop_dag, shops_to_parse, waiting
from renqun.settings import Shop


def watch_publication_of(shop: Shop) -> None:
    tags = ["stage/watch", "domain/audiences", "impact/tier_2"]
    schedule, deadline = after_first_export(shop), publication_deadline(shop)
    with shop_dag("watch_publication", shop, schedule=schedule, deadline=deadline, doc=__doc__, tags=tags):

        @task.sensor(**waiting())
        def wait_for_publication(dag_run=None):
            """Wait until the date is published; a run that has waited for most of a day ends by skipping."""
            from renqun.airflow import stages

            return stages.is_published(shop.id, dag_run)

        wait_for_publication()


for each_shop in shops_to_parse():
    if each_shop.publish_by is not None:
        watch_publication_of(each_shop)
