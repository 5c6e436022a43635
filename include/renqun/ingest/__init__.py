"""From files as exported to accepted raw: what is it, are its rows sound, has it been seen before.

The way of a file, module by module:

- `catalogue`: the sources, as `sources/<source>.yml` describes them.
- `landing`: which files lie in the drop folders and are whole.
- `detect`: what a file is, by its bytes; `records`: splitting CSV without losing a record.
- `read`: a file as one relation of text; `checks`: the reasons to quarantine a row; `load`: the batch's Parquet.
- `ledger`: the record of every batch; `places`: where raw keeps what.
- `receive`: landing to incoming (`receive_files`).
- `relations`: incoming batches as SQL, for the raw gate.
- `promote`: incoming to accepted (`promote_batches`, `withdraw_batch`, `ensure_raw_schema`).
- `refusals`: incoming to rejected (`reject_batches`).
- `days`: which days are delivered (`missing_groups`, `close_day`, `require_last_day`).
- `inspection`: a look at a file that loads nothing (`inspect_file`).
"""
