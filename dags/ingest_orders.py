"""
### Ingest orders

**Purpose** – take a business date's order exports from the landing folder to accepted raw.

**Inputs** – `<home>/<shop>/landing/orders/<date>/`, any file name.

**Outputs** – `<home>/<shop>/raw/orders/date=<date>/`; the asset `<shop>/exports`, announced for the date once every
group that the shop expects of it is there.

**Schedule** – daily at the shop's export hour, in its zone; the partition key is the day before. Scheduled runs wait
for the files until the shop's deadline, then fail with an alert. Runs with a date or a range in their conf do not wait.

**Owner** data-engineering · **tier** 1

**May I clear it?** Yes: the same bytes are taken in once. **May I backfill it?** Yes:
`airflow backfill create --dag-id <shop>__ingest_orders --from-date D1T00:00:00+08:00 --to-date D2T23:59:59+08:00`
gives exactly the dates D1 to D2. A long history goes in faster as one run with conf `{"from": D1, "to": D2}`.

**What breaks downstream?** Without orders of a date nothing is built for it; what was published stays.

**Runbook** – `docs/runbooks/ingest.md`
"""

from renqun.airflow.ingest_dag import ingest_dag
from renqun.airflow.wiring import shops_to_parse

for shop in shops_to_parse():
    ingest_dag(shop, "orders", doc=__doc__, tags=["stage/ingest", "domain/orders", "impact/tier_1"])
