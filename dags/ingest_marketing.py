"""
### Ingest marketing

**Purpose** – take a business date's reports of advertising platforms and settlements of affiliates from the landing
folder to accepted raw.

**Inputs** – `<home>/<shop>/landing/marketing/<date>/`, any file name.

**Outputs** – `<home>/<shop>/raw/<source>/date=<date>/`, a source for each platform's report; the asset
`<shop>/exports`, announced for the date once every group that the shop expects of it is there.

**Schedule** – daily at the shop's export hour, in its zone; the partition key is the day before. A scheduled run waits
for files until the shop's deadline; then it fails with an alert where the shop expects marketing, and skips where not.

**Owner** data-engineering · **tier** 2

**May I clear it?** Yes: the same bytes are taken in once. **May I backfill it?** Yes:
`airflow backfill create --dag-id <shop>__ingest_marketing --from-date D1T00:00:00+08:00 --to-date D2T23:59:59+08:00`
gives exactly the dates D1 to D2. A long history goes in faster as one run with conf `{"from": D1, "to": D2}`.

**What breaks downstream?** Without a fresh report, cost and attributed orders of the last days stay as they were
downloaded last; sales and customers do not depend on it.

**Runbook** – `docs/runbooks/ingest.md`
"""

from renqun.airflow.ingest_dag import ingest_dag
from renqun.airflow.wiring import shops_to_parse

for shop in shops_to_parse():
    ingest_dag(shop, "marketing", doc=__doc__, tags=["stage/ingest", "domain/marketing", "impact/tier_2"])
