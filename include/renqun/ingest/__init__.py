"""From files as exported to accepted raw: what is it, are its rows sound, has it been seen before.

The way of a file, module by module:

- `catalogue`: the sources, as `sources/<source>.yml` describes them.
- `landing`: which files lie in the drop folders and are whole.
- `unpack`: what kind of bytes it is, and what is inside an archive; `encodings`, `spreadsheet`, `jsonlines`: formats.
- `detect`: what a file is, by its bytes; `match`, `names`: by its header's names; `days_in_text`: the day it is about.
- `plain`: any text or workbook as UTF-8; `guards`, `quotes`, `records`: splitting it without losing a record.
- `portions`: large ones piece by piece, each by a process of `portion`; `bits`: where its signs stand;
  `facts`, `columns`: what a whole column has; `views`, `arrow`: its cells as DuckDB takes them where they lie.
- `read`: a file as one relation of text; `clean`, `numbers`: a platform's cells as canonical text; `checks`, `ids`: the
  reasons to quarantine a row; `reasons`: all of them in words; `sums`: rows that are none; `load`: the batch's Parquet.
- `ledger`: the record of every batch; `places`: where raw keeps what.
- `receive`: landing to incoming (`receive_files`).
- `relations`: incoming batches as SQL, for the raw gate.
- `promote`: incoming to accepted (`promote_batches`, `withdraw_batch`, `ensure_raw_schema`).
- `refusals`: incoming to rejected (`reject_batches`).
- `days`: which days are delivered (`missing_groups`, `close_day`, `require_last_day`).
- `inspection`: a look at a file that loads nothing (`inspect_file`); `lines`: where a person sees its rows.
"""
