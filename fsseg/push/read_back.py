"""What a bulk job may have harmed: looked at where there is reason to, and mended at once."""

from __future__ import annotations

from collections.abc import Sequence

from fsseg.freshsales.errors import Forbidden, FreshsalesError
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Row
from fsseg.freshsales.views import latest, view_of_all
from fsseg.match.remote_record import WHOLE, Existing, flatten
from fsseg.push.accepted import note_not_stored
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push
from fsseg.push.outcome import Outcome, failed
from fsseg.push.stored import read, without_late
from fsseg.push.updates import emptied, held, others_of, put_back
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record

SWITCHED = (
    "bulk empties the custom fields that it doesn't name in this account: what was lost has been put back, and such"
    " updates go one by one from now on"
)


class ReadBack:
    """Looks at the records of one entity after a bulk job."""

    def __init__(self, context: PushContext, entity: Entity) -> None:
        self._context = context
        self._entity = entity
        self._keeps_custom_fields = False
        """Whether bulk was seen in this push to keep the custom fields that it doesn't name."""

    def look(self, records: Sequence[Record], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes, once it is mended what the job has harmed. Raises what ends the push."""
        done = [record for record, one in zip(records, outcomes, strict=True) if one.status == Status.DONE]
        at_risk = [] if self._keeps_custom_fields else [record for record in done if others_of(self._context, record)]
        if not (at_risk or self._context.was_delivered(done)):
            self._leave_unseen()
            return list(outcomes)
        rows = self._rows(done, at_risk)
        for record in done:
            if record.remote_id in rows:
                note_not_stored(self._context, record, rows[record.remote_id])
        seen = [record for record in at_risk if WHOLE in rows.get(int(record.remote_id or 0), {})]
        lost = [record for record in seen if emptied(self._context, record, rows[int(record.remote_id or 0)])]
        # What a push that ended while it was mending has put back already proves nothing.
        was_known = not self._context.custom_fields.bulk_merges
        self._keeps_custom_fields = bool(seen) and not lost and not was_known
        if not (lost or was_known):
            return list(outcomes)
        self._note_loss()
        mended = {record.id: self._put_back(record, rows.get(int(record.remote_id or 0), {})) for record in at_risk}
        return [mended.get(record.id, one) for record, one in zip(records, outcomes, strict=True)]

    def mend(self, records: Sequence[Record]) -> None:
        """Put back what a job has emptied that told nothing of these records. Raises what ends the push."""
        at_risk = [record for record in records if record.remote_id is not None and others_of(self._context, record)]
        rows = self._rows(at_risk, at_risk) if at_risk else {}
        for record in at_risk:
            id = int(record.remote_id or 0)
            row = rows.get(id, {})
            if put_back(self._context, record, row if WHOLE in row else read(self._context, self._entity, id)):
                self._note_loss()

    def _note_loss(self) -> None:
        if self._context.custom_fields.bulk_merges:
            self._context.custom_fields.note_bulk_replaces()
            self._context.say(SWITCHED)

    def _leave_unseen(self) -> None:
        """Let it be looked at with all others of the entity."""
        meta = self._context.store.meta
        if self._entity not in meta.unseen:
            meta.unseen = [*meta.unseen, self._entity]

    def _rows(self, done: Sequence[Record], at_risk: Sequence[Record]) -> dict[int, Existing]:
        """What the records hold by now: the page of those that changed last has all of a job, one by itself will do."""
        by_id = {int(record.remote_id): record for record in done if record.remote_id is not None}
        rows = {int(row["id"]): flatten(self._entity, row) for row in self._latest() if int(row["id"]) in by_id}
        rows = without_late(self._context, self._entity, by_id, rows)
        if at_risk and not any(WHOLE in rows.get(int(record.remote_id or 0), {}) for record in at_risk):
            id = int(at_risk[0].remote_id or 0)
            rows[id] = read(self._context, self._entity, id)
        return rows

    def _latest(self) -> list[Row]:
        try:
            view = view_of_all(self._context.reader, self._entity)
            return [] if view is None else latest(self._context.reader, self._entity, view).rows
        except FreshsalesError as error:
            if ends_the_push(error) and not isinstance(error, Forbidden):
                raise
            return []

    def _put_back(self, record: Record, row: Existing) -> Outcome:
        """Give it back what it has lost; `row` is what is known of it by now."""
        id = int(record.remote_id or 0)
        now = row if WHOLE in row else read(self._context, self._entity, id)
        if WHOLE in now and not emptied(self._context, record, now):
            return Outcome(Status.DONE)
        ours = {name: after for name, (_, after) in record.fields.items() if name.startswith("cf_")}
        whole = {**others_of(self._context, record), **held(self._context, self._entity, now), **ours}
        try:
            self._context.writer.update(self._entity, id, {"custom_field": whole})
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
            return failed(error)
        return Outcome(Status.DONE)
