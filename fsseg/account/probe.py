"""How an account behaves where accounts differ, tried on a contact that is made for it and deleted again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from fsseg.freshsales.errors import BulkBusy, FreshsalesError, NoBulk, Refused
from fsseg.freshsales.reader import Reader, Row
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import DROPDOWN, NUMBER, TEXT, coercer
from fsseg.mapping.fields import Field
from fsseg.state.behaviour import Behaviour

LONGEST_LAG_S = 30.0
POLL_S = 2.0
JOB_POLLS = 30

SAMPLES: dict[str, tuple[Any, Any]] = {TEXT.name: ("fsseg probe", "fsseg probe 2"), NUMBER.name: (1, 2)}
"""Two values of the types of custom fields that are tried."""

ANY_VALUES: tuple[Any, ...] = ("fsseg probe", 1, True, "2030-01-01")
"""One of these fits a field of any type."""

MOST_REQUIRED = 20
"""Fields that are asked for, one after the other, until the probe is given up."""

NO_CHOICE = "fsseg has no such choice"


@dataclass
class Probe:
    """One probe. `pause` waits so many seconds; `now` tells the time, in seconds.

    `wanted` gives the field that a refusal speaks of.
    """

    reader: Reader
    writer: Writer
    catalog: Catalog
    defaults: Mapping[str, Any]
    wanted: Callable[[str], str | None]
    pause: Callable[[float], None]
    now: Callable[[], float]
    email: str = field(default_factory=lambda: f"fsseg-probe-{secrets.token_hex(6)}@example.com")
    contact_id: int | None = None
    """The contact's id, until it is deleted."""
    required: list[str] = field(default_factory=list)
    """The fields without which the contact was refused."""

    def run(self) -> Behaviour:
        """Make the contact, try, and tell. Raises `FreshsalesError`; `Refused` where the contact itself is refused."""
        first, second = self._custom_fields()
        made = self.now()
        answer = self._create(self._body())
        self.contact_id = int(answer["id"])
        single = self._keeps(first, second, self._write_singly)
        null, choices = self._null(), self._choices()
        bulk = self._keeps(first, second, self._write_in_bulk)
        return Behaviour(datetime.now(UTC).isoformat(timespec="seconds"), single, bulk, null, choices, self._lag(made))

    def _create(self, body: Row) -> Row:
        """Make the contact; each field that is asked for gets a sample, so that one probe finds all of them."""
        while True:
            try:
                return self.writer.create("contact", body)
            except Refused as error:
                name = self.wanted(error.message)
                field = self.catalog.fields("contact").get(name or "")
                sample = _sample(field) if field is not None and name not in self.required else None
                if field is None or sample is None or len(self.required) >= MOST_REQUIRED:
                    raise
                self.required.append(field.name)
                if field.custom:
                    body = {**body, "custom_field": {**body.get("custom_field", {}), field.name: sample}}
                else:
                    body = {**body, field.name: sample}

    def _body(self) -> Row:
        """As little as can be, so that it is seen what contacts need."""
        body: Row = {"last_name": "fsseg probe (delete me)"}
        custom: Row = {}
        for name, value in self.defaults.items():
            (custom if name.startswith("cf_") else body)[name] = value
        return {**body, "emails": self.email} | ({"custom_field": custom} if custom else {})

    def _custom_fields(self) -> tuple[Field | None, Field | None]:
        fields = self.catalog.fields("contact").values()
        plain = [one for one in fields if one.custom and one.writable and one.type in SAMPLES and not one.choices]
        return (plain[0], plain[1]) if len(plain) > 1 else (None, None)

    def _keeps(
        self, first: Field | None, second: Field | None, write: Callable[[Row], bool]
    ) -> Literal["merge", "replace"] | None:
        """Whether writing one custom field keeps the other."""
        if first is None or second is None:
            return None
        whole = {one.name: SAMPLES[one.type][0] for one in (first, second)}
        self.writer.update("contact", self._id, {"custom_field": whole})
        if self._custom().get(second.name) is None or not write({"custom_field": {first.name: SAMPLES[first.type][1]}}):
            return None
        return "replace" if self._custom().get(second.name) is None else "merge"

    def _write_singly(self, body: Row) -> bool:
        self.writer.update("contact", self._id, body)
        return True

    def _write_in_bulk(self, body: Row) -> bool:
        try:
            job = self.writer.bulk_upsert("contact", [{"id": str(self._id), "data": body}])
        except (NoBulk, BulkBusy, Refused):
            return False
        for _ in range(JOB_POLLS):
            status = self.reader.job(job).status
            if status != "running":
                return status == "done"
            self.pause(POLL_S)
        return False

    def _null(self) -> Literal["clears", "ignored"]:
        self.writer.update("contact", self._id, {"job_title": "fsseg probe"})
        self.writer.update("contact", self._id, {"job_title": None})
        return "ignored" if self._read().get("job_title") else "clears"

    def _choices(self) -> Literal["dropped", "refused"] | None:
        fields = self.catalog.fields("contact").values()
        dropdown = next((one for one in fields if one.custom and one.type == DROPDOWN.name and one.choices), None)
        if dropdown is None:
            return None
        try:
            self.writer.update("contact", self._id, {"custom_field": {dropdown.name: NO_CHOICE}})
        except Refused:
            return "refused"
        return None if self._custom().get(dropdown.name) == NO_CHOICE else "dropped"

    def _lag(self, made: float) -> float | None:
        while (waited := self.now() - made) < LONGEST_LAG_S:
            if self.reader.lookup(self.email, "email", ("contact",))["contact"]:
                return round(waited, 1)
            self.pause(POLL_S)
        return None

    @property
    def _id(self) -> int:
        assert self.contact_id is not None
        return self.contact_id

    def _read(self) -> Row:
        return self.reader.get("contact", self._id)[0]

    def _custom(self) -> Row:
        custom = self._read().get("custom_field")
        return custom if isinstance(custom, dict) else {}


def _sample(wanted: Field) -> Any:
    """A value that a field of this type takes; None where none is known."""
    choices = [choice.text for choice in (wanted.choices or ())[:1]]
    fitting = (coercer(wanted)(value) for value in (*choices, *ANY_VALUES))
    return next((value for value in fitting if value is not BAD), None)


def delete(probe: Probe, writer: Writer) -> str | None:
    """Delete the probe's contact; where that fails, what is to be deleted by hand."""
    if probe.contact_id is None:
        return None
    try:
        writer.delete("contact", probe.contact_id)
    except FreshsalesError as error:
        return f"the probe's contact #{probe.contact_id} ({probe.email}) could not be deleted, do so by hand: {error}"
    probe.contact_id = None
    return None
