"""Match: for every planned person, account and deal, the record that Freshsales holds of it, if there is one.

`matching` has what all of it needs, and `strategy` chooses the cheapest finder: `finders`, `search`, and offline
`ledger_finder`. `people` decides with what they find whether somebody is a lead or a contact, and who is whom;
`records` matches accounts and deals, `timeline` what is on timelines already.
"""
