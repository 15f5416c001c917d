"""Fold: duplicates go, and everything that is said of one person or company becomes one state.

`batch` maps events in the order of the input, `collect` groups them by person, on disk where they are too many for
memory, and `merge` folds them; `people` writes a record for each person into the plan.
"""
