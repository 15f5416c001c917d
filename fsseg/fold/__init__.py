"""Fold: duplicates go, and everything that is said of one person or company becomes one state.

`fold_inputs` is the way in. An engine (`engines`: in this process, in several, or on a cluster) has `batch` read and
map the events and puts them into `partitions` by person, on disk where they are too many for memory; `collect` counts
each event, and finds with `dedupe` which repeat others; `repeats` and `mended` see to those whose original was refused.
Then `fold_partition` folds one partition after another (`group`, `merge`, `desired`, `event_fields`; `shared_ids` are
no person's), which is pure; `records` writes what comes of it into the plan. `companies` are folded once it is known
who is a contact.
"""
