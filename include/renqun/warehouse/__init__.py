"""The workshop: which batches a build consumes, as of which date, and the dbt processes that build it."""
