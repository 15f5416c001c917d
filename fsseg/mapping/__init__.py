"""Map: from Segment's traits and properties to Freshsales' fields, by the destination's rules and the user's. Pure.

`mapper` turns an event into an intent; `catalog` says which fields there are, `field_types` what fits into them and
what is equal there.

The user's rules are read by `rules`, `field_rule` and `event_rule` (with `steps`, `conditions` and `paths`), and what
is wrong with them are `mistakes`; `resolve` finds a trait's target, in `targets` or `object_targets`. `event_fields` is
for calls that set fields, `timeline` for their entries, with the titles and notes of `entry_text`; `event_names` tells
which names of the settings the events have. `inspection` with `profiles` looks at files, and `suggest` says what would
take their traits.
"""
