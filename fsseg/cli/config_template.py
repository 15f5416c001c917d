"""The text of a new fsseg.toml: every setting with its default, commented out where it isn't chosen."""

from __future__ import annotations

import orjson

TEMPLATE = """\
# Settings of fsseg. Flags and FSSEG_… variables win over them; every key may be left out.
# The API token is never kept here: it comes from FSSEG_API_TOKEN, or from the file that api_token_file names.

# nulls = "clear"          # what null in a trait does: clear the field, or "ignore"
# convert_leads = false    # make a lead a contact when an event asks for a contact
# existing = "update"      # records that are there already: "newer", "fill" (empty fields) or "keep" change less
# strict = false           # reject an event for a value that doesn't fit, instead of leaving that value out

[freshsales]
{domain}                   # acme.freshsales.io is classic, acme.myfreshworks.com is the suite
{edition}                  # "classic" or "suite", where the domain doesn't tell
{base_url}                 # any other host: REST at URL/api, tracking at URL/track
{api_token_file}           # relative to this file; ~ is the home folder
# api_token_command = "pass show freshsales"  # prints the token, where there is no file and no FSSEG_API_TOKEN
# views = {{ contact = 31000123 }}  # ids of the views that hold all records, where their names don't tell
# custom_fields = "whole"  # "changed": an update writes no custom fields but those that change

[identity]
{match}                    # "segment": as the destination does; "email": whoever has the e-mail
# id_field = "cf_segment_user_id"  # a text field that keeps the userId of people with database ids
# deal_id_field = "cf_deal_id"       # a text field that tells deals apart, whatever they are called

# placeholder_ids = ["test-user"]  # ids that name nobody, besides undefined, null, 0, anonymous and their like

# [defaults.contact]       # fields of new records of which no event says anything; lead, account and deal likewise
# lead_source_id = "Web"   # a value, or "$trait": that of a trait that reaches another field

[timeline]
# via = "auto"             # track and page events: "sales_activity", "tracking", "note" or "auto"
# event_type = "Segment event"     # the sales activity type of events without a type of their own name
# page_type = "Page view"          # the same for pages
# aggregate = "none"       # "daily": one entry per person, event and day
# owner = "sales@example.com"      # who owns the sales activities

[limits]
# max_requests = 5000      # stop, resumable, after so many requests
# max_time = "50m"         # the same, after so long
# reserve = "20%"          # share of the account's quota left to others

[filter]
# only = ["identify", "track", "page"]
# events = ["Order Completed"]
# since = "2024-01-02"     # midnight UTC
# until = "2025-01-01"
# suppress_file = "suppress.txt"   # userIds and e-mails never to be touched, one a line
# consent = ["Advertising"]        # categories that must all have been granted

[cluster]
# address = "tcp://scheduler:8786" # plan on a Dask cluster; "local:4" is one of 4 processes on this machine

# Where traits go, if not by their name: trait = "field", false leaves a trait out without a word.
# "fsseg fields" lists the fields, "fsseg inspect PATH" shows where the traits of your files go.

[mapping.person]           # leads and contacts; [mapping.lead] and [mapping.contact] add to it
# createdAt = "cf_signup_date"
# avatar = false
# plan = {{ field = "cf_plan", values = {{ free = "Free", pro = "Pro" }} }}

[mapping.account]          # members of traits.company
# plan = "cf_plan"

[mapping.deal]             # members of traits.deal

# [mapping.event."Order Completed"]
# type = "Order Completed"  # a sales activity type
# title = "Order"
"""

MAPPING = "# Where traits go"
"""Begins the part of the template that files tell more of."""

EXAMPLES = {
    "domain": "acme.freshsales.io",
    "edition": "classic",
    "base_url": "https://crm.example.com",
    "api_token_file": "token.txt",
    "match": "segment",
}


def filled(chosen: dict[str, str | None], mapping: str = "") -> str:
    """The file with the settings chosen; what isn't stands there as a comment. `mapping` is put at its end."""
    lines = {}
    for name, example in EXAMPLES.items():
        value = chosen.get(name)
        line = f"{name} = {orjson.dumps(value or example).decode()}"
        lines[name] = line if value else f"# {line}"
    text = TEMPLATE.format(**lines)
    if mapping:
        text = text[: text.index(MAPPING)] + mapping
    return "\n".join(_aligned(line) for line in text.split("\n"))


def _aligned(line: str) -> str:
    """Remarks after a chosen or commented setting begin in one column, where they can."""
    code, mark, remark = line.partition("  #")
    return f"{code.rstrip():<33}  #{remark}" if mark and code.strip() else line
