"""Map: from Segment's traits and properties to Freshsales' fields, by the destination's rules and the user's. Pure.

`mapper` turns an event into an intent; `catalog` says which fields there are, `field_types` what fits into them and
what is equal there.
"""
