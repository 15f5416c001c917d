"""Match: for every planned person, account and deal, the record that Freshsales holds of it, if there is one.

`strategy` chooses the cheapest of the `finders`; `match` decides with what they find whether somebody is a lead or a
contact, and who is whom.
"""
