"""What stands among the wanted values of a record and is no field: how it comes to be, and what it is linked to."""

from __future__ import annotations

CONTACT_FLAG = "$contact"
"""Whether a contact is asked for."""

CONVERT = "$convert"
"""The id of the lead that is to become this contact."""

LINKS = "$links"
"""The account ids that a contact shall keep, told outright."""

DROPPED = "$dropped"
"""The address that a contact shall lose."""
