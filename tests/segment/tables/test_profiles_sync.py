from __future__ import annotations

import shutil
from pathlib import Path

from fsseg.segment import Event, Input, Rejected, expand, read
from fsseg.segment.hints import Hints
from fsseg.segment.tables.profiles_sync import identifiers_among
from tests.segment import exports
from tests.segment.messages import outcomes, told
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
