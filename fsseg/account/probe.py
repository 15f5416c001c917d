"""How an account behaves where accounts differ, tried on records that are made for it and deleted again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field

from fsseg.account.probe_records import ProbeRecords
from fsseg.freshsales.errors import BulkBusy, Forbidden, NoBulk, Refused
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Job, Reader, Row
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.field_types import DROPDOWN, NUMBER, TEXT
from fsseg.mapping.fields import Field
from fsseg.state.behaviour import Behaviour

LONGEST_LAG_S = 30.0
POLL_S = 2.0
JOB_POLLS = 30

SAMPLES: dict[str, tuple[Any, Any]] = {TEXT.name: ("fsseg probe", "fsseg probe 2"), NUMBER.name: (1, 2)}
"""Two values of the types of custom fields that are tried."""

NO_CHOICE = "fsseg has no such choice"


class Probe(Struct):
    """One probe. `pause` waits so many seconds; `now` tells the time, in seconds."""

    reader: Reader
    writer: Writer
    catalog: Catalog
    records: ProbeRecords
    pause: Callable[[float], None]
    now: Callable[[], float]
    refused: dict[Entity, Refused] = field(default_factory=dict)
    """Why no such record could be made, but for the contact."""

    def run(self) -> Behaviour:
        """Make a contact, try, and tell. Raises `FreshsalesError`; `Refused` where the contact itself is refused.

        What a lead needs, and what becomes of a deal's contact in bulk, is tried besides, where this key may.
        """
        first, second = self._custom_fields()
        made = self.now()
        self.records.create("contact", self.records.body("contact"))
        at_once = self._is_found()  # looked up only after the rest, it would seem to lag as long as that took
        single = self._keeps(first, second, self._write_singly)
        null, choices = self._null(), self._choices()
        bulk = self._keeps(first, second, self._write_in_bulk)
        lag = 0.0 if at_once else self._lag(made)
        if "lead" in self.catalog.people:
            self._make("lead")
        probed_at = datetime.now(UTC).isoformat(timespec="seconds")
        return Behaviour(probed_at, single, bulk, null, choices, lag, self._deal_contacts())

    def _make(self, entity: Entity) -> None:
        try:
            self.records.create(entity, self.records.body(entity))
        except Refused as error:
            self.refused[entity] = error
        except Forbidden:
            pass

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
            job = self._ended(self.writer.bulk_upsert("contact", [{"id": str(self._id), "data": body}]))
        except (NoBulk, BulkBusy, Refused):
            return False
        return job is not None and job.status == "done"

    def _ended(self, job_id: str) -> Job | None:
        for _ in range(JOB_POLLS):
            job = self.reader.job(job_id)
            if job.status != "running":
                return job
            self.pause(POLL_S)
        return None

    def _deal_contacts(self) -> Literal["kept", "lost"] | None:
        """What becomes of the contact of a deal that is made in bulk; where there is no bulk, what deals need."""
        records, body = self.records, self.records.body("deal")
        while True:
            data = {**body, "contacts_added_list": [self._id]}
            try:
                with records.sending("deal"):
                    job_id = self.writer.bulk_upsert("deal", [{"name": records.name, "data": data}])
            except NoBulk:
                self._make("deal")
                return None
            except (BulkBusy, Refused, Forbidden):
                return None
            job = self._ended(job_id)
            if job is None or job.status != "done":
                return None
            if not (job.failed or job.failures):
                break
            records.forget("deal")
            refusal = "; ".join(text for _, texts in job.failures for text in texts)
            fuller = records.fuller("deal", body, refusal)
            if fuller is None:
                self.refused["deal"] = Refused(refusal or "refused without a word", status=400)
                return None
            body = fuller
        ids = [int(deal["id"]) for deal in self.reader.deals_of(self._id) if deal.get("name") == records.name]
        if ids:
            records.note("deal", ids[0])
        return "kept" if ids else "lost"

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
            if self._is_found():
                return round(waited, 1)
            self.pause(POLL_S)
        return None

    def _is_found(self) -> bool:
        return bool(self.reader.lookup(self.records.email, "email", ("contact",))["contact"])

    @property
    def _id(self) -> int:
        id = self.records.sent["contact"]
        assert id is not None
        return id

    def _read(self) -> Row:
        return self.reader.get("contact", self._id)[0]

    def _custom(self) -> Row:
        custom = self._read().get("custom_field")
        return custom if isinstance(custom, dict) else {}
