"""Tables: rows of CSV, Parquet or JSON become events, as the table's header and content tell what its rows say.

`dialect` finds the delimiter, `csv_rows` the rows, whatever a spreadsheet has done to them, `parquet` those of Parquet
and `json_rows` those of JSON lines; `events` makes events of them. `kinds` tells the tables apart. Each has a file:
`actions` (what the S3 and SFTP destinations write), `audiences` (downloads of Engage), `dotted` (columns such as
`traits.plan`, in the `spelling` of messages), `warehouse`, `profiles` and `profiles_sync`, which looks up in a
`disk_index` who its profiles are. `table` is what they have in common.
"""
