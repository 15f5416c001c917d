"""Map: from Segment's traits and properties to Freshsales' fields, by the destination's rules and the user's. Pure.

`mapper` turns an event into an intent; `catalog` says which fields there are, `coerce` what fits into them.
"""
