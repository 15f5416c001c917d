"""An account that refuses a contact, and how that is mended."""

from __future__ import annotations

from tests.e2e.events import Event, identify
from tests.e2e.harness import Account

CODE = {"name": "cf_code", "type": "text", "unique": True}
TAKEN = "taken@x.example"


def refusing(account: Account, *codes: str) -> None:
    """Begin anew with an account where other contacts have these codes, which nobody else may have."""
    account.empty({"fields": {"contacts": {"add": [CODE]}}})
    for code in codes:
        account.make("contacts", emails=f"{code}-{TAKEN}", last_name="Theirs", custom_field={"cf_code": code})


def mend(account: Account, code: str) -> None:
    """That code is free again."""
    (contact,) = account.people("contacts", f"{code}-{TAKEN}")
    account.delete("contacts", contact["id"])


def coded(name: str, *codes: str) -> list[Event]:
    """A contact for each code."""
    return [
        identify(f"{name}{number}@x.example", lastName="P", fsContact=True, title="CEO", cfCode=code)
        for number, code in enumerate(codes)
    ]
