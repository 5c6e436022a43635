"""
### Maintenance

**Purpose** – remove what has had its time by the shop's rules, and compact the warehouse.

**Inputs** – versions, verdicts, logs and leftovers below `<home>/<shop>/`; the shop's rules, `keeping` in `shops.yml`.

**Outputs** – the same, less what was removed. Never the latest version, never one that a withdrawal, an outcome or the
send-once ledger still needs, never accepted raw.

**Schedule** – once a week, on the night to Monday, in the shop's zone.

**Owner** data-engineering · **tier** 3

**May I clear it?** Yes: it removes what is left to remove. **May I backfill it?** There is nothing to backfill.

**What breaks downstream?** Nothing; disks fill up slowly while it does not run.

**Runbook** – `docs/runbooks/maintenance.md`
"""

from airflow.sdk import task

from renqun.airflow.wiring import shop_dag, shops_to_parse, weekly, writer
from renqun.settings import Shop


def maintenance_of(shop: Shop) -> None:
    tags = ["stage/maintenance", "domain/home", "impact/tier_3"]
    with shop_dag("maintenance", shop, schedule=weekly(shop), doc=__doc__, tags=tags):

        @task(**writer(shop))
        def remove_and_compact():
            """Apply the shop's rules, under its writer lock."""
            from renqun.airflow import stages

            return stages.maintain(shop.id)

        remove_and_compact()


for each_shop in shops_to_parse():
    maintenance_of(each_shop)
