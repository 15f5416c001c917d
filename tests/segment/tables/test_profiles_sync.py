from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fsseg.segment import Event, Input, Rejected, UnreadableInput, expand, read
from fsseg.segment.hints import Hints
from fsseg.segment.tables.profiles_sync import identifiers_among
from tests.segment import exports
from tests.segment.messages import lines, outcomes, told
from tests.segment.tables.test_kinds import EXPORTS, INES, OLEK

FOLDER = EXPORTS / "profiles_sync"


def found(folder: Path, *names: str) -> dict[str, list[tuple[int, str | None, dict[str, object]] | str]]:
    files = [str(folder / name) for name in names] if names else expand([str(folder)])[0]
    hints = Hints(identifiers=identifiers_among(files))
    told_of: dict[str, list[tuple[int, str | None, dict[str, object]] | str]] = {}
    for number, path in enumerate(files):
        items = list(read(Input(path, number, hints=hints)))
        told_of[Path(path).stem] = [
            (item.line, item.message.user_id, told(item)["traits"]) if isinstance(item, Event) else item.code
            for item in items
        ]
    return told_of


def test_traits_are_joined_with_the_identifiers_among_the_inputs() -> None:
    assert found(FOLDER) == {
        "external_id_mapping_updates": [],
        "id_graph": [],
        "user_identifiers": [],
        "user_traits": [
            (2, "u-701", {"title": "Fleet Manager", "email": "ines@quayside.example"}),
            (3, "u-701", {"first_name": "Ines", "email": "ines@quayside.example"}),
            (4, OLEK, {"first_name": "Olek", "email": OLEK}),
            "bad_row",
        ],
        "profile_traits": [
            (2, "u-701", {"last_name": "Marlow", "phone": "0044 1792 555 020", "email": "ines@quayside.example"}),
            (4, OLEK, {"last_name": "Zaremba", "email": OLEK}),
        ],
    }


def test_without_the_merges_the_profile_s_own_identifiers_count() -> None:
    traits = found(FOLDER, "user_identifiers.csv", "user_traits.csv")["user_traits"]
    assert traits[0] == (2, "u-701", {"title": "Fleet Manager", "email": INES})


def test_a_profile_without_identifiers_is_told_what_is_missing() -> None:
    traits = FOLDER / "user_traits.csv"
    alone = [item for item in read(Input(str(traits), 0)) if isinstance(item, Rejected)]
    assert len(alone) == 4 and all("give that table, too" in item.detail for item in alone)
    given = Hints(identifiers=(str(FOLDER / "user_identifiers.csv"),))
    (unnamed,) = (item for item in read(Input(str(traits), 0, hints=given)) if isinstance(item, Rejected))
    assert (unnamed.code, "neither a userId nor an e-mail of this profile" in unnamed.detail) == ("bad_row", True)


def test_the_tables_may_be_parquet(tmp_path: Path) -> None:
    rows = [{"canonical_segment_id": "use_1", "type": "email", "value": INES}]
    (tmp_path / "user_identifiers.parquet").write_bytes(exports.parquet(rows))
    shutil.copy(FOLDER / "profile_traits.csv", tmp_path)
    (first, *others) = found(tmp_path)["profile_traits"]
    assert first == (2, INES, {"last_name": "Marlow", "phone": "0044 1792 555 020", "email": INES})
    assert others == ["bad_row"]


def test_events_of_profiles_sync_are_those_of_a_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "trial_started.csv"
    path.write_text(
        "event_id,segment_id,event_source_id,user_id,anonymous_id,received_at,timestamp,event,event_text,plan\n"
        "m-1,use_1,src,u-1,,2025-05-05 08:00:00,2025-05-05 08:00:00,trial_started,Trial Started,Pro\n"
    )
    items = list(read(Input(str(path), 0)))
    assert outcomes(items) == ["m-1"]
    assert isinstance(items[0], Event) and told(items[0])["properties"] == {"plan": "Pro"}


def test_of_the_values_of_a_trait_the_one_with_the_highest_number_counts(tmp_path: Path) -> None:
    """Rows from a backfill have no time, so the order of times says nothing."""
    (tmp_path / "user_identifiers.csv").write_text("canonical_segment_id,type,value,seq\nuse_1,user_id,u-1,1\n")
    (tmp_path / "user_traits.csv").write_text(
        "canonical_segment_id,name,value,seq,timestamp\n"
        "use_1,plan,Gold,20,2024-01-01 00:00:00\nuse_1,plan,Free,9,\nuse_1,city,Ulm,9,\nuse_2,plan,Free,30,\n"
    )
    assert found(tmp_path)["user_traits"] == [(2, "u-1", {"plan": "Gold"}), (4, "u-1", {"city": "Ulm"}), "bad_row"]


def test_the_tables_may_be_json_lines_in_which_nulls_are_left_out(tmp_path: Path) -> None:
    tables: dict[str, list[dict[str, object]]] = {
        "user_identifiers": [{"canonical_segment_id": "use_1", "type": "email", "value": INES, "seq": 1}],
        "id_graph": [{"segment_id": "use_1", "canonical_segment_id": "use_1"}],
        "user_traits": [
            {"canonical_segment_id": "use_1", "name": "plan", "value": "Pro"},
            {"canonical_segment_id": "use_1", "name": "city"},
            {"name": "city", "value": "Ulm"},
        ],
        "profile_traits": [{"canonical_segment_id": "use_1", "plan": "Pro"}, {"canonical_segment_id": "use_2", "merged_to": "use_1"}],
    }  # fmt: skip
    for name, rows in tables.items():
        (tmp_path / f"{name}.jsonl").write_bytes(lines(*rows))
    assert found(tmp_path) == {
        "id_graph": [],
        "profile_traits": [(1, INES, {"plan": "Pro", "email": INES})],
        "user_identifiers": [],
        "user_traits": [(1, INES, {"plan": "Pro", "email": INES}), (2, INES, {"email": INES}), "bad_row"],
    }


def test_raw_traits_of_profiles_are_told_as_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "profile_traits_updates.csv"
    path.write_text("segment_id,plan,timestamp\nuse_1,Pro,2024-01-01 00:00:00\n")
    with pytest.raises(UnreadableInput, match="canonical_segment_id"):
        list(read(Input(str(path), 0)))
