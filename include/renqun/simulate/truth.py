"""The truth file: what the marts must show, written beside the exports and never read by the pipeline.

Schema (version 1); money is text with two decimals, days are `YYYY-MM-DD`:

- `schema_version`, `form`, `time_zone`, `currency`, `seed`, `as_of`, `traffic_start`, `daily_from`, `late_files`,
  `left_out` (kinds that the history is too short for), `not_told` (kinds that the files cannot tell of → why),
  `absent_customers` (named by quarantined rows only), `same_person` (customer id → the first one of the same person).
- `files`: path below the landing tree, or below the late tree where `is_late` → `source`, `date`, `rows`, `quarantined`
  (reason → rows), `left_out` (reason → further rows that only sum others), `same_bytes_as`.
- `totals`: as-of date → `before_late` and `after_late` → sums of the whole shop: orders, amounts, sessions, `segments`,
  `rhythm` (count, median and p90 of the gaps between deal days), `rfm`, `rfm_classes`, `days` (day → measures of that
  day), `cohorts` (month → size, lists by period and horizon).
- `planted`: one entry a planted person or visitor: `kind`, `note`, `customer_id` (null for a visitor), `visitor_ids`,
  `is_late`; `before_late` and `after_late` → as-of date → `is_customer`, `segments` (segment → inside), `stages` (of
  the lifecycle, and risk of churn), `rfm` (or null), `cohort` (or null): all of it counted from the books. At `as_of`
  with the late files in: `designed` (segment → inside), `designed_stages` (kind → stage, or null for none) and
   `rfm_class` (null where not designed), `audiences` (audience → meant by it) and `messages` (audience → fact that the
   list of a single build names them for, or null), as stated by the plant; `is_member`, `consent` (true, false, null:
   never asked), `suppressed` (the cause of an open case, or null), `orders` with `lines` and `refunds`, `sessions`,
