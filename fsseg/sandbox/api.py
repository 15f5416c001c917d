"""The REST API: what each of its paths answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from fsseg.sandbox import activities, jobs, records, render, search
from fsseg.sandbox.account import NESTED, SINGULAR, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import IDENTIFIERS, Crm


@dataclass(frozen=True)
class Call:
    """One request: who is asked, the ids and names in the path, the query, the parsed body."""

    crm: Crm
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base: str
    """Where `/api` stands, for the addresses in answers."""
    job_fails: Callable[[], bool]

    @property
    def resource(self) -> str:
        """The resource of the path; 404 where this edition has none such."""
        if (resource := self.path["resource"]) not in self.crm.account.resources:
            raise Refusal(404, "not_found")
        return resource

    @property
    def id(self) -> int:
        """The id of the path."""
        return int(self.path["id"])

    def wrapped(self, name: str, *, bare: bool = True) -> Any:
        """The attributes: under the singular resource, or (`bare`) at the top. Raises Refusal 400."""
        if isinstance(self.body, dict) and name in self.body:
            return self.body[name]
        if not bare or not isinstance(self.body, dict):
            raise Refusal(400, "bad_body", name=name)
        return self.body


@dataclass(frozen=True)
class Answer:
    """A status other than 200, and what to say."""

    status: int
    body: Any


def fields(call: Call) -> Row:
    """GET /settings/{resource}/fields."""
    if call.path["resource"] not in call.crm.account.fields:
        raise Refusal(404, "not_found")
    return {"fields": call.crm.account.metadata(call.path["resource"])}


def selector(call: Call) -> Row:
    """GET /selector/{name}."""
    name = call.path["name"]
    if name not in call.crm.account.selectors:
        raise Refusal(404, "not_found")
    rows = call.crm.account.selectors[name]
    if name == "deal_pipelines":
        stages = call.crm.account.selectors["deal_stages"]
        rows = [{**row, "deal_stages": [one for one in stages if one["deal_pipeline_id"] == row["id"]]} for row in rows]
    return {"users" if name == "owners" else name: rows}


def stages(call: Call) -> Row:
    """GET /selector/deal_pipelines/{id}/deal_stages."""
    return _selected(call, "deal_pipelines", "deal_stages", "deal_pipeline_id")


def outcomes(call: Call) -> Row:
    """GET /selector/sales_activity_types/{id}/sales_activity_outcomes."""
    return _selected(call, "sales_activity_types", "sales_activity_outcomes", "sales_activity_type_id")


def _selected(call: Call, name: str, part: str, link: str) -> Row:
    if call.id not in call.crm.account.ids[name]:
        raise Refusal(404, "not_found")
    return {part: [row for row in call.crm.account.selectors[part] if row[link] == call.id]}


def create(call: Call) -> Answer:
    """POST /{resource}."""
    number = records.write(call.crm, call.resource, call.wrapped(SINGULAR[call.resource]))
    return Answer(call.crm.options.create_status, _one(call, number))


def update(call: Call) -> Row:
    """PUT /{resource}/{id}."""
    records.write(call.crm, call.resource, call.wrapped(SINGULAR[call.resource]), call.id)
    return _one(call, call.id)


def upsert(call: Call) -> Answer:
    """POST /{resource}/upsert: 201 where it made a record, 200 where it found one."""
    resource = call.resource
    given = call.wrapped(SINGULAR[resource], bare=False)
    unique = call.body.get("unique_identifier")
    if not isinstance(unique, dict) or len(unique) != 1 or not isinstance(given, dict):
        raise Refusal(400, "bad_body", name="unique_identifier")
    ((key, value),) = unique.items()
    if key not in IDENTIFIERS[resource]:
        raise Refusal(400, "unknown", name=f"unique_identifier {key}")
    found = records.find(call.crm, resource, key, value)
    if found is None:
        given = records.identified(resource, key, value, given)
    number = records.write(call.crm, resource, given, found, upsert=True)
    return Answer(201 if found is None else 200, _one(call, number))


def show(call: Call) -> Row:
    """GET /{resource}/{id}."""
    return _one(call, call.id)


def _one(call: Call, number: int) -> Row:
    return render.one(call.crm, call.resource, number, call.query.get("include", ""))


def delete(call: Call, *, forget: bool = False) -> bool:
    """DELETE /{resource}/{id}."""
    if call.crm.store.record(call.resource, call.id) is None:
        raise Refusal(404, "not_found")
    call.crm.store.delete(call.id, forget=forget)
    return True


def restore(call: Call) -> Row:
    """PUT /{contacts|leads}/{id}/restore: a deleted person comes back, without custom fields."""
    records.restore(call.crm, call.resource, call.id)
    return _one(call, call.id)


def forget(call: Call) -> bool:
    """DELETE /{resource}/{id}/forget, which leaves no trace."""
    return delete(call, forget=True)


def convert(call: Call) -> Row:
    """POST /leads/{id}/convert: the lead becomes a contact with its company as account and its deal as deal."""
    crm, store = call.crm, call.crm.store
    if "leads" not in crm.account.resources or (row := store.record("leads", call.id)) is None:
        raise Refusal(404, "not_found")
    if call.body and (given := call.wrapped("lead")):
        records.write(crm, "leads", given, call.id)
        row = store.record("leads", call.id)
    lead = orjson.loads(row["data"])
    contact = _attributes(crm, "Contact", lead)
    if lead.get("emails"):
        contact["email"] = lead["email"]
    nested = {name: _attributes(crm, MODEL_AFTER[name], lead[name]) for name in NESTED if lead.get(name)}
    if name := nested.get("company", {}).get("name"):
        found = store.named("sales_accounts", name)
        account = found[0]["id"] if found else records.write(crm, "sales_accounts", nested["company"])
        contact["sales_accounts"] = [{"id": account, "is_primary": True}]
    store.delete(call.id)
    number = records.write(crm, "contacts", contact)
    if nested.get("deal", {}).get("name"):
        links = {"contacts_added_list": [number], "sales_account_id": contact.get("sales_accounts", [{}])[0].get("id")}
        records.write(crm, "deals", {"amount": 0, **nested["deal"], **links})
    store.run("UPDATE entry SET target_type = 'Contact', target_id = ? WHERE target_id = ?", (number, call.id))
    return render.one(crm, "contacts", number, "sales_accounts")


MODEL_AFTER = {"company": "SalesAccount", "deal": "Deal"}


def _attributes(crm: Crm, model: str, data: Row) -> Row:
    """What of a lead's data another record can take, in writing shape."""
    found: Row = {"custom_field": {}}
    for name, field in crm.account.by_model[model].items():
        if field["_read_only"] or field["type"] == "group_field" or name not in data:
            continue
        if model == "SalesAccount" and name == "number_of_employees":
            ranges = [choice["id"] for choice in field["choices"] if choice["id"] <= data[name]]
            found |= {name: ranges[-1]} if ranges else {}
        else:
            (found if field["default"] else found["custom_field"])[name] = data[name]
    return found


def bulk_upsert(call: Call) -> Row:
    """POST /{resource}/bulk_upsert."""
    if not call.crm.options.bulk or call.resource == "leads":
        raise Refusal(404, "not_found")
    most = call.crm.options.bulk_at_once
    if most is not None and jobs.unfinished(call.crm) >= most:
        raise Refusal(405, "busy")
    return _accepted(call, jobs.upsert(call.crm, call.resource, call.body, call.job_fails()))


def bulk_destroy(call: Call) -> Row:
    """POST /{resource}/bulk_destroy, which is done at once."""
    return jobs.destroy(call.crm, call.resource, call.body)


def _accepted(call: Call, number: int) -> Row:
    return {"job_status_url": f"{call.base}/api/job_statuses/{number}", "message": "The job is in the queue."}


def notes_of(call: Call) -> Row:
    """GET /{resource}/{id}/notes."""
    if call.crm.store.record(call.resource, call.id) is None:
        raise Refusal(404, "not_found")
    return activities.notes(call.crm, call.id, call.query)


def timeline(call: Call) -> Row:
    """GET /{contacts|leads}/{id}/activities."""
    if call.crm.store.record(call.resource, call.id) is None:
        raise Refusal(404, "not_found")
    return activities.timeline(call.crm, call.resource, call.id, call.query)


ENTRIES = {"sales_activities": "sales_activity", "notes": "note"}


def create_entry(call: Call) -> Answer:
    """POST /sales_activities (always wrapped) and POST /notes."""
    kind = call.path["kind"]
    given = call.wrapped(ENTRIES[kind], bare=kind == "notes")
    number = activities.write(call.crm, kind, given)
    return Answer(201 if kind == "notes" else call.crm.options.create_status, _entry(call, number, kind))


def show_entry(call: Call) -> Row:
    """GET /sales_activities/{id}."""
    return _entry(call, call.id, "sales_activities")


def update_entry(call: Call) -> Row:
    """PUT /sales_activities/{id} and PUT /notes/{id}."""
    kind = call.path["kind"]
    activities.write(call.crm, kind, call.wrapped(ENTRIES[kind], bare=kind == "notes"), call.id)
    return _entry(call, call.id, kind)


def delete_entry(call: Call) -> Row:
    """DELETE /sales_activities/{id} and DELETE /notes/{id}."""
    activities.entry(call.crm, call.path["kind"], call.id)
    call.crm.store.run("DELETE FROM entry WHERE id = ?", (call.id,))
    return {"success": "200"}


def _entry(call: Call, number: int, kind: str) -> Row:
    return {ENTRIES[kind]: activities.shown(call.crm, activities.entry(call.crm, kind, number))}


def view(call: Call) -> Row:
    """GET /{resource}/view/{id}."""
    return search.view(call.crm, call.resource, call.id, call.query)


def filtered_search(call: Call) -> Row:
    """POST /filtered_search/{entity}."""
    resource = search.RESOURCES.get(call.path["entity"])
    if resource not in call.crm.account.resources:
        raise Refusal(404, "not_found")
    return search.filtered(call.crm, str(resource), call.query, call.body)
