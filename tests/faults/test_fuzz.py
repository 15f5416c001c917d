"""Whatever stands in the files: never a traceback, and every line has one outcome."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.e2e.harness import Account, Machine
from tests.faults.process import Ended, here

EXAMPLES = int(os.environ.get("FSSEG_FUZZ", "10"))

NESTS = [(b"[", b"]"), (b'{"a":', b"}")]


def nest(depth: int, kind: int) -> bytes:
    """So many levels of lists or objects."""
    opening, closing = NESTS[kind]
    return opening * depth + b"1" + closing * depth


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(
        ["", " ", "=cmd()", "\x1b[31m", "\u202e", "\x00", "a" * 3000, "ada@x.example", "ADA@x.example ", "a@b", 2**63,
         -(2**70), 10**400, 1e308, "2024-13-45", "true", "1e999", "ſ", "İ", "<script>", "messageId: x", "\ufeff"]
    )
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
names = st.sampled_from(
    ["email", "name", "company", "deal", "address", "fsContact", "phone", "title", "first_name", "lastName", "cf_x",
     "age", "custom_field", "id", "$contact", "lead:email", "", "a.b", "company:x", "owner_id", "emails", "tags"]
)  # fmt: skip
bags = st.dictionaries(names | st.text(max_size=6), values, max_size=6) | values
ids = st.sampled_from(["ada@x.example", "db-1", "db-2", "ADA@X.example", "", "#1", "@", 7, None, 1.5]) | values
envelopes = st.fixed_dictionaries(
    {"type": st.sampled_from(["identify", "track", "page", "group", "screen", "alias", "Identify", None, 3]) | values},
    optional={
        "userId": ids, "anonymousId": ids, "traits": bags, "properties": bags, "event": values, "name": values,
        "messageId": values, "timestamp": st.sampled_from(["2024-01-01T00:00:00Z", "yesterday", 1e18, -1]) | values,
        "context": bags, "integrations": bags, "groupId": ids, "sentAt": values, "_fsseg": values, "consent": values,
    },
)  # fmt: skip
plain = envelopes.map(lambda event: orjson.dumps(_writable(event)))
people = st.fixed_dictionaries({"email": st.just("ada@x.example"), "lastName": st.just("A")})


def _writable(value: Any) -> Any:
    """Numbers beyond 64 bits as orjson can't write them, as floats where they are some."""
    if isinstance(value, dict):
        return {str(name).encode("utf-8", "replace").decode(): _writable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_writable(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@st.composite
def nested(draw: st.DrawFn) -> bytes:
    """An event with one value that goes very deep, or a number that is very long, where it hurts."""
    value = draw(
        st.builds(
            nest,
            st.sampled_from([3, 128, 253, 254, 255, 300, 500, 900, 960, 1000, 1022, 1030, 5000]),
            st.integers(0, 1),
        )
        | st.sampled_from([b"1" * 400, b"-" + b"9" * 30, b"1e99999", b"18446744073709551616", b'"\\ud800"', b"NaN"])
    )
    where = draw(
        st.sampled_from(["traits", "properties", "context", "userId", "event", "messageId", "email", "x", "type"])
    )
    kind = draw(st.sampled_from([b"identify", b"track", b"page"]))
    event = b'{"type":"%s","userId":"ada@x.example","event":"E","timestamp":"2024-01-01T00:00:00Z"' % kind
    inner = b'{"email":"ada@x.example","lastName":"A","x":%s}' % value
    match where:
        case "x":
            return event + b',"traits":' + inner + b',"properties":' + inner + b"}"
        case "email":
            return event + b',"traits":{"email":' + value + b"}}"
        case _:
            return event.replace(b'"%s":' % where.encode(), b'"_":') + b',"%s":%s}' % (where.encode(), value)


lines = (
    plain
    | nested()
    | st.binary(max_size=30)
    | plain.flatmap(lambda line: st.integers(0, len(line)).map(lambda at: line[:at]))
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def outcomes_add_up(done: Ended, lines: int) -> None:
    """Whatever became of them, and every failure can be read back."""
    assert done.code in (0, 1), done.err
    events = done.summary["events"]
    assert sum(events["outcomes"].values()) == events["read"] == lines
    for line in filter(None, done.failures.split("\n")):
        assert read_back(line)["_fsseg"]["code"]


def read_back(line: str) -> Any:
    """A line that may be nested too deep for one reader of JSON, or hold a number too large for the other."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.lists(lines, min_size=5, max_size=40), strict=st.booleans())
def test_hostile_lines_are_imported_or_named(
    hosts: dict[str, Account], home: Path, data: list[bytes], strict: bool
) -> None:
    machine = Machine(hosts["classic"], home)
    data = [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in data]
    path = machine.write("lines.jsonl", b'{"type":"page"}\n' + b"\n".join(data) + b"\n")
    args = ["--again", "--json", "--with", "group", "--stitch-anonymous", "--create-missing", "--allow-mass-changes"]
    done = here(machine, "import", path, *args, *(["--strict"] if strict else []))
    outcomes_add_up(done, 1 + sum(1 for line in data if line.strip()))
    assert here(machine, "report", "--format", "text").code == 0


@pytest.mark.parametrize("depth", [253, 255, 500, 940, 1000, 1024, 100_000])
@pytest.mark.parametrize("kind", [0, 1])
def test_values_of_any_depth_survive(classic: Machine, depth: int, kind: int) -> None:
    classic.account.empty()
    deep = nest(depth, kind)
    events = [
        b'{"type":"identify","userId":"a@x.example","timestamp":"2024-01-01T00:00:00Z","traits":{"lastName":"A","x":%s}}',
        b'{"type":"identify","userId":"a@x.example","timestamp":"2024-01-01T00:00:01Z","traits":{"lastName":%s}}',
        b'{"type":"track","userId":"a@x.example","timestamp":"2024-01-01T00:00:02Z","event":"E","properties":{"x":%s}}',
        b'{"type":"track","userId":"a@x.example","timestamp":"2024-01-01T00:00:02Z","event":%s}',
        b'{"type":"track","userId":%s,"timestamp":"2024-01-01T00:00:02Z","event":"E"}',
        b'{"type":"track","userId":"nobody@x.example","timestamp":"2024-01-01T00:00:02Z","event":"E","properties":{"x":%s}}',
        b'{"type":"identify","userId":"no email","timestamp":"2024-01-01T00:00:02Z","traits":{"x":%s}}',
        b'{"type":"identify","userId":"b@x.example","timestamp":"2024-01-01T00:00:02Z","traits":%s}',
    ]
    path = classic.write("e.jsonl", b"\n".join(event % deep for event in events))
    done = here(classic, "import", path, "--json")
    outcomes_add_up(done, len(events))
    assert here(classic, "report").code == 0
    failures = Path(done.summary["run_dir"], "failures.jsonl")
    again = here(classic, "import", str(failures), "--json")
    assert again.code == 1
    assert Path(done.summary["run_dir"], "failures.csv").exists()
