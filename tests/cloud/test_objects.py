"""Objects are listed by prefix, streamed, taken up where they broke, and told where they changed."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import obstore
import pytest

from fsseg.fold.engines import processes
from fsseg.fold.engines.parts import grouped
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.processes import Processes
from fsseg.segment import Input, expand, object_list, objects, read, stores
from fsseg.segment.event import Rejected
from fsseg.segment.object_list import Window
from fsseg.segment.open import UnreadableInput
from fsseg.segment.read import read_next
from tests.segment.exports import tarred, zipped
from tests.segment.messages import lines, message, outcomes
from tests.store import Store

DAYS = [1704672000000 + 86_400_000 * day for day in range(6)]
"""From 2024-01-08 to 2024-01-13."""


def filled(store: Store, prefix: str = "segment-logs/src") -> None:
    for day in DAYS:
        for number in range(2):
            store.put(f"{prefix}/{day}/{number}.gz", gzip.compress(lines(message(messageId=f"{day}-{number}"))))


def found(store: Store, below: str, window: Window = object_list.EVER) -> list[str]:
    files, unreadable = expand([f"s3://{store.bucket}/{below}"], window)
    assert unreadable == []
    return [file.removeprefix(f"s3://{store.bucket}/") for file in files]


def test_a_prefix_is_all_below_it_in_order_and_what_is_no_export_is_passed_over(store: Store) -> None:
    filled(store)
    for name in ("segment-logs/dummy-object.txt", "segment-logs/src/_SUCCESS", "segment-logs/.hidden/x"):
        store.put(name, b"x")
    store.requests()
    names = found(store, "segment-logs/")
    assert names == [f"segment-logs/src/{day}/{number}.gz" for day in DAYS for number in range(2)]
    assert len(store.requests()) == 1
    assert found(store, "segment-logs/src/*/0.gz") == [f"segment-logs/src/{day}/0.gz" for day in DAYS]
    assert found(store, "segment-logs/src/1704672000000/1.gz") == ["segment-logs/src/1704672000000/1.gz"]
    assert found(store, "segment-logs") == names


@pytest.mark.parametrize("window", [object_list.EVER, Window("2024-01-01T00:00:00.000")], ids=["all", "since"])
def test_what_consoles_make_of_a_folder_is_no_object(store: Store, window: Window) -> None:
    for name in ("logs/", "logs/2024-01-08/", "logs/of nothing/"):
        store.put(name, b"")
    store.put("logs/2024-01-08/a.jsonl", lines(message()))
    store.put("logs/empty.jsonl", b"")
    assert found(store, "logs/", window) == ["logs/2024-01-08/a.jsonl", "logs/empty.jsonl"]


def test_two_stars_are_any_number_of_folders(store: Store) -> None:
    for name in ("a.gz", "x/a.gz", "x/y/a.gz", "x/y/b.gz"):
        store.put(name, b"x")
    assert found(store, "**/a.gz") == ["a.gz", "x/a.gz", "x/y/a.gz"]
    assert found(store, "x/**/[ab].gz") == ["x/a.gz", "x/y/a.gz", "x/y/b.gz"]
    assert found(store, "x/**") == ["x/a.gz", "x/y/a.gz", "x/y/b.gz"]


def test_only_what_lies_beside_a_data_lake_is_its_own(store: Store) -> None:
    lake = "lake/data/s/segment_type=identify/day=2024-01-08/hr=00/a"
    for name in (lake, "lake/logs/x", "lake/segment-logs/y", "logs/z", "segment-logs/src/1704672000000/0.gz"):
        store.put(name, b"x")
    assert found(store, "") == [lake, "logs/z", "segment-logs/src/1704672000000/0.gz"]


@pytest.mark.parametrize("below", [".hidden/", ".hidden", ".hidden/*/*", ".hidden/x/b"])
def test_a_hidden_folder_can_be_named(store: Store, below: str) -> None:
    for name in (".hidden/x/b", ".hidden/x/.c", "a"):
        store.put(name, b"x")
    assert found(store, below) == [".hidden/x/b"]
    assert found(store, "") == ["a"]


def test_the_tracks_table_comes_after_the_tables_of_the_events(store: Store) -> None:
    for name in ("w/tracks/0.csv", "w/trial_started/0.csv", "tracks.csv", "users.csv"):
        store.put(name, b"x")
    assert found(store, "") == ["users.csv", "w/trial_started/0.csv", "tracks.csv", "w/tracks/0.csv"]


@pytest.mark.parametrize("below", ["", "segment-logs/", "segment-logs/src/"])
def test_folders_of_days_that_are_not_wanted_are_not_listed(store: Store, below: str) -> None:
    filled(store)
    store.requests()
    window = Window("2024-01-10T12:00:00.000", "2024-01-12T00:00:00.000")
    assert found(store, below, window) == [f"segment-logs/src/{day}/{n}.gz" for day in DAYS[2:4] for n in range(2)]
    asked = [request["query"] for request in store.requests()]
    assert [query for query in asked if any(str(day) in query for day in (*DAYS[:2], *DAYS[4:]))] == []
    assert len(asked) == {"": 5, "segment-logs/": 4, "segment-logs/src/": 3}[below]


def test_partitions_by_date_are_days_too(store: Store) -> None:
    for day in (8, 9, 10):
        store.put(f"data/s/segment_type=identify/day=2024-01-{day:02d}/hr=03/a.jsonl", b"{}")
        store.put(f"logs/day=2024-01-{day:02d}/x", b"x")
    names = found(store, "", Window("2024-01-09T00:00:00.000", "2024-01-10T00:00:00.000"))
    assert names == ["data/s/segment_type=identify/day=2024-01-09/hr=03/a.jsonl"]


def test_an_object_is_read_as_a_file_is(store: Store) -> None:
    store.put("a/1704672000000/e.gz", gzip.compress(lines(*(message(messageId=f"m-{n}") for n in range(5_000)))))
    reader = read(Input(f"s3://{store.bucket}/a/1704672000000/e.gz", 0))
    assert outcomes(list(reader)) == [f"m-{n}" for n in range(5_000)]
    assert reader.container == "jsonl.gz"


@pytest.mark.parametrize("after", [0, 1, 100_000, 700_000])
def test_a_broken_transfer_is_taken_up_where_it_broke(store: Store, after: int) -> None:
    content = lines(*(message(messageId=f"m-{n}") for n in range(5_000)))
    store.put("big.jsonl", content)
    store.cut("big.jsonl", after, times=2)
    store.requests()
    assert outcomes(list(read(Input(f"s3://{store.bucket}/big.jsonl", 0)))) == [f"m-{n}" for n in range(5_000)]
    ranges = [request["range"] for request in store.requests() if request["method"] == "GET"]
    assert ranges[0] == "" and all(ranges[1:]) and len(ranges) > 1


def test_an_object_that_changes_while_it_is_read_is_told(store: Store) -> None:
    content = lines(*(message(messageId=f"m-{n}") for n in range(5_000)))
    store.put("big.jsonl", content)
    store.swap("big.jsonl", 300_000, content.replace(b"m-", b"x-"))
    items: list[object] = []
    with pytest.raises(UnreadableInput, match="changed while it was read"):
        items.extend(read(Input(f"s3://{store.bucket}/big.jsonl", 0)))


def test_an_object_that_is_gone_is_told(store: Store) -> None:
    with pytest.raises(UnreadableInput, match="it isn't there"):
        list(read(Input(f"s3://{store.bucket}/gone.jsonl", 0)))


def test_what_cannot_be_listed_is_told(store: Store) -> None:
    assert expand([f"s3://{store.bucket}/nothing/"])[1] == [(f"s3://{store.bucket}/nothing/", "there is no object")]
    path, told = "s3://no-such-bucket-of-mine/x/", "NoSuchBucket: The specified bucket does not exist"
    assert expand([path])[1] == [(path, told)]


@pytest.mark.parametrize(("key", "shown"), [("logs//b.jsonl", "logs//b.jsonl"), ("logs/b%09.jsonl", "logs/b\\t.jsonl")])
def test_an_object_whose_name_stops_the_listing_is_told_with_what_to_do(store: Store, key: str, shown: str) -> None:
    store.put("logs/a.jsonl", lines(message()))
    store.put(key, lines(message()))
    files, unreadable = expand([f"s3://{store.bucket}/logs/"])
    assert files == []
    assert shown in unreadable[0].reason
    assert "aws s3 sync" in unreadable[0].reason


@pytest.mark.parametrize("name", ["/a.jsonl", "a.jsonl/"])
def test_of_two_objects_that_are_listed_by_one_name_the_second_is_told(store: Store, name: str) -> None:
    """A list leaves slashes at either end of a key out, and then only one of the two can be read."""
    for key in ("a.jsonl", name):
        store.put(key, lines(message()))
    files, unreadable = expand([f"s3://{store.bucket}/"])
    path = f"s3://{store.bucket}/a.jsonl"
    assert (files, [one.path for one in unreadable]) == ([path], [path])
    assert "slash" in unreadable[0].reason
    store.put(name, b"")
    assert expand([f"s3://{store.bucket}/"]) == ([path], [])


@pytest.mark.parametrize("address", ["169.254.169.254/latest/api/token", "metadata.google.internal/computeMetadata/v1"])
def test_missing_credentials_are_told_as_that(store: Store, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def refuse(*values: object, **more: object) -> None:
        raise Exception(f"Generic S3 error: Error performing PUT http://{address} in 6ms - Server returned 403")

    for name in ("list", "list_with_delimiter", "head"):
        monkeypatch.setattr(obstore, name, refuse)
    ((_, reason),) = expand([f"s3://{store.bucket}/logs/"])[1]
    assert "there are no credentials for it in the environment, and this machine has no role of its own" in reason
    assert ("aws configure export-credentials" in reason) == (not address.startswith("metadata.google"))


DENIED = "The operation lacked the necessary privileges to complete for path logs/src: Error performing HEAD http://…"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that refuses to tell of objects by their keys: it says no more than that."""

    def refuse(*values: object, **more: object) -> None:
        raise obstore.exceptions.PermissionDeniedError(DENIED)

    monkeypatch.setattr(obstore, "head", refuse)


@pytest.mark.usefixtures("refused")
def test_a_folder_may_be_given_without_a_slash_where_only_what_is_below_it_may_be_read(store: Store) -> None:
    store.put("logs/src/a.jsonl", lines(message()))
    store.put("logs/src/b.jsonl", lines(message()))
    assert found(store, "logs/src") == ["logs/src/a.jsonl", "logs/src/b.jsonl"]


@pytest.mark.usefixtures("refused")
def test_an_object_that_may_not_be_read_is_told_in_short(store: Store) -> None:
    ((_, reason),) = expand([f"s3://{store.bucket}/logs/src"])[1]
    assert reason == "the store refuses it: these credentials have no right to read it"


def test_archives_in_a_store_are_looked_into(store: Store) -> None:
    one, two = lines(message(messageId="m-1")), lines(message(messageId="m-2"))
    store.put("a.zip", zipped({"x/one.jsonl": one, "two.gz": gzip.compress(two)}))
    store.put("b.tar.gz", gzip.compress(tarred({"one.jsonl": one})))
    files = found(store, "")
    assert files == ["a.zip!x/one.jsonl", "a.zip!two.gz", "b.tar.gz!one.jsonl"]
    assert [outcomes(list(read(Input(f"s3://{store.bucket}/{file}", 0)))) for file in files] == [
        ["m-1"], ["m-2"], ["m-1"],
    ]  # fmt: skip
    assert found(store, "a.zip!two.gz") == ["a.zip!two.gz"]


def test_one_file_of_a_large_archive_takes_little_of_it(store: Store) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("small.jsonl", lines(message()))
        archive.writestr("large.bin", b"\0" * (8 << 20))
    store.put("all.zip", held.getvalue())
    store.requests()
    assert outcomes(list(read(Input(f"s3://{store.bucket}/all.zip!small.jsonl", 0)))) == ["m-1"]
    assert len(store.requests()) <= 6


def test_the_next_objects_are_begun_while_one_is_read(store: Store) -> None:
    paths = []
    for number in range(20):
        store.put(f"{number:02d}.jsonl", lines(message(messageId=f"m-{number}")))
        paths.append(f"s3://{store.bucket}/{number:02d}.jsonl")
    objects.read_ahead(paths)
    store.requests()
    items = [one for path in paths for one in read(Input(path, 0))]
    assert outcomes(items) == [f"m-{number}" for number in range(20)]
    assert len(store.requests()) == 20


def test_every_process_begins_with_the_next_of_its_objects(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(32):
        store.put(f"{number:02d}.jsonl", lines(message(messageId=f"m-{number}")))
    inputs = [Input(f"s3://{store.bucket}/{number:02d}.jsonl", number) for number in range(32)]
    groups = grouped([[input] for input in inputs], [1 << 30] * 32, 16 << 20, 4)
    assert [len(group) for group in groups] == [4] * 8
    small = grouped([[input] for input in inputs], [10] * 16 + [50] * 16, 100, 4)
    assert [len(group) for group in small] == [10, 6, 4, 4, 4, 4]
    begun: list[str] = []
    begin = objects._begin

    def noted(path: str) -> Iterator[bytes]:
        begun.append(path)
        return begin(path)

    monkeypatch.setattr(objects, "_begin", noted)
    with closing(Processes(2, tmp_path)) as two:
        name = two.share((Catalog.standard("classic").to_json(), Rules(offline=True), str(two.folder)))
        store.requests()
        assert [part.events for part in processes._read_group((name, inputs[:4])).parts] == [1] * 4
    assert sorted(begun) == [input.path for input in inputs[1:4]]
    assert len([one for one in store.requests() if one["method"] == "GET"]) == 4


def test_members_of_archives_are_not_begun_with_as_if_they_were_objects(store: Store) -> None:
    store.put("a.jsonl", lines(message(messageId="m-1")))
    store.put("b.zip", zipped({"x.jsonl": lines(message(messageId="m-2"))}))
    inputs = [Input(f"s3://{store.bucket}/{path}", at) for at, path in enumerate(["a.jsonl", "b.zip!x.jsonl"])]
    read_next(inputs)
    store.requests()
    assert outcomes([item for input in inputs for item in read(input)]) == ["m-1", "m-2"]
    assert {request["path"].rpartition("/")[2] for request in store.requests()} == {"a.jsonl", "b.zip"}


def test_a_large_object_is_never_held(store: Store) -> None:
    content = lines(*(message(messageId=f"m-{n}", context={"ip": "x" * 500}) for n in range(40_000)))
    store.put("big.jsonl", content)
    tracemalloc.start()
    count = sum(not isinstance(item, Rejected) for item in read(Input(f"s3://{store.bucket}/big.jsonl", 0)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, len(content) > 25 << 20, peak < 12 << 20) == (40_000, True, True)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "obstore.store", None)
    stores.store_of.cache_clear()
    reasons = [reason for _, reason in expand(["s3://bucket/logs/src/", "gs://bucket/logs/*.gz", "az://bucket/x"])[1]]
    assert all("fsseg[cloud]" in reason for reason in reasons)
    assert [reason.partition("fetch it first")[2] for reason in reasons] == [
        ", as with aws s3 sync s3://bucket/logs/src/ events/", ", as with gcloud storage rsync -r gs://bucket/logs/ events/", "",
    ]  # fmt: skip
    stores.store_of.cache_clear()


@pytest.mark.parametrize(
    ("scheme", "name", "value"),
    [
        ("s3", "AWS_ENDPOINT_URL", "127.0.0.1:9000"),
        ("s3", "AWS_ENDPOINT", "our-store"),
        ("s3", "AWS_ENDPOINT_URL_S3", "https:///x"),
        ("s3", "AWS_REGION", "eu west"),
        ("s3", "AWS_ACCESS_KEY_ID", "AKIA-of-nobody\n"),
        ("s3", "AWS_SECRET_ACCESS_KEY", "s3cret\r\n"),
        ("s3", "AWS_SESSION_TOKEN", "t0ken\n"),
        ("az", "AZURE_STORAGE_ACCOUNT_KEY", "a2V5\n"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], scheme: str, name: str, value: str
) -> None:
    monkeypatch.setattr(stores, "_endpoint", [])
    monkeypatch.setenv(name, value)
    stores.store_of.cache_clear()
    ((_, reason),) = expand([f"{scheme}://bucket/logs/"])[1]
    assert reason.startswith(name)
    assert value.strip() not in reason and capfd.readouterr().err == ""


def test_what_the_library_of_a_store_panics_with_is_told_as_any_other_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicError(BaseException):
        pass

    def panic(*values: object, **more: object) -> None:
        raise PanicError("request valid")

    for name in ("list", "list_with_delimiter", "head", "get"):
        monkeypatch.setattr(obstore, name, panic)
    ((_, reason),) = expand([f"s3://{store.bucket}/a.jsonl"])[1]
    assert reason == "its library gave up: request valid"
    with pytest.raises(UnreadableInput, match="its library gave up"):
        list(read(Input(f"s3://{store.bucket}/a.jsonl", 0)))


def test_a_bucket_in_another_region_is_told_with_the_variable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def redirect(*values: object, **more: object) -> None:
        raise Exception("Generic S3 error: … Received redirect without LOCATION, this normally indicates an …")

    monkeypatch.setattr(obstore, "list", redirect)
    ((_, reason),) = expand([f"s3://{store.bucket}/logs/"])[1]
    assert reason == "the bucket is in another region: AWS_REGION says in which"


def test_an_address_with_a_signature_is_refused() -> None:
    ((_, reason),) = expand(["https://bucket.example/e.gz?X-Amz-Signature=abc"])[1]
    assert "kept with the run" in reason


@pytest.mark.parametrize(
    "path",
    [
        "S3://bucket/x/",
        "s3:/bucket/x/",
        "gs:bucket/x",
        "s3:bucket/*.gz",
        "ftp://host/x.gz",
        "http://archive.example/x.gz",
    ],
)
def test_what_is_nearly_an_address_is_told_as_such(path: str) -> None:
    ((_, reason),) = expand([path])[1]
    assert reason == "an address begins with s3://, gs://, az:// or https://, in small letters"


def test_a_file_that_is_called_like_an_address_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:events.jsonl").write_bytes(lines(message()))
    assert expand(["s3:events.jsonl"]) == (["s3:events.jsonl"], [])


def test_azure_without_an_account_is_told_which_variable_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_USE_EMULATOR"):
        monkeypatch.delenv(name, raising=False)
    ((_, reason),) = expand(["az://events/logs/"])[1]
    assert "AZURE_STORAGE_ACCOUNT_NAME" in reason


def test_the_environment_may_name_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("logs/a.jsonl", lines(message()))
    monkeypatch.setattr(stores, "_endpoint", [])
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    stores.store_of.cache_clear()
    assert found(store, "logs/") == ["logs/a.jsonl"]
    stores.store_of.cache_clear()
