"""Stores of objects, S3, Google Cloud Storage, Azure and web servers: which there are, and what is known of an object.

`obstore` does the talking and takes the credentials as it documents them; it comes with the extra `cloud`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import unquote

from fsseg.segment.beside import interruptible
from fsseg.segment.store_variables import wrong_variable

SCHEMES = ("s3://", "gs://", "az://", "https://", "http://127.0.0.1", "http://localhost")
MISSING = "takes the extra cloud: pip install 'fsseg[cloud]', or fetch it first"
_FETCHING = {"s3": "aws s3 sync {} events/", "gs": "gcloud storage rsync -r {} events/"}
_PATIENCE = timedelta(seconds=30)
"""How long a store may send nothing, and go on failing, before a request is given up."""
_OF_THE_WEB = {"read_timeout": _PATIENCE, "timeout": timedelta(days=1)}
"""A transfer is else given up after half a minute: in vain where the server can't go on with it."""
_MOST_FAILED = 3
"""Objects that a store may fail to give, one after another, before it is asked for no more of them."""
_DOWN = "not asked for, as its store answered for none of the objects before it: import again once it does"
_ODD_KEY = re.compile(r'invalid path: (?:Error parsing )?Path "(.+?)"')
_SAID = re.compile(r"<Code>(\w+)</Code>\s*(?:<Message>([^<\n]*))?")
"""A store's own words for what is wrong."""
NO_LENGTH = "Content-Length Header missing"
_AS_STORED = {"Accept-Encoding": "gzip"}
_OWN_ROLE = re.compile(r"//(169\.254\.169\.254|metadata\.google\.internal)/")
NO_CREDENTIALS = "there are no credentials for it in the environment"
_PROFILES = 'profiles in ~/.aws are not read: eval "$(aws configure export-credentials --format env)" takes one over'


class Stamp(NamedTuple):
    """What tells whether a file or object was changed: its size, and when that was or which version it is.

    The version is empty where a web server tells none.
    """

    size: int
    version: int | str


_endpoint: list[str] = []
_stamps: dict[str, Stamp] = {}
"""Objects as they were when they were listed or last read."""
modified: dict[str, int] = {}
"""When they were last changed, in microseconds since 1970."""
failed: Counter[str] = Counter()
"""By root, how many objects a store has failed to give since it last answered."""


def is_remote(path: str) -> bool:
    """Whether a path is the address of an object, or the beginning of some."""
    return path.startswith(SCHEMES)


def use_endpoint(endpoint: str | None) -> None:
    """Let S3 be at this address from now on."""
    if endpoint and _endpoint != [endpoint]:
        _endpoint[:] = [endpoint]
        store_of.cache_clear()


@lru_cache(maxsize=16)
def store_of(root: str, *, as_stored: bool = False) -> Any:
    """The store that a root such as `s3://bucket` names. Raises OSError, and ImportError without the extra.

    Google's unpacks what it stores as gzip, and then tells neither size nor version, unless it is asked for all
    `as_stored`; lists and tokens would then be packed, too.
    """
    from obstore.store import from_url

    if wrong := wrong_variable(root.partition("://")[0]):
        raise OSError(None, wrong)
    try:
        options, config = dict[str, Any](), None
        if root.startswith("s3://") and _endpoint:
            options = {"allow_http": _endpoint[0].startswith("http://")}
            config = {"endpoint": _endpoint[0], "virtual_hosted_style_request": False}
        elif root.startswith("http"):
            options = {"allow_http": root.startswith("http://"), **_OF_THE_WEB}
        elif as_stored:
            options = {"allow_http": bool(os.environ.get("GOOGLE_ALLOW_HTTP")), "default_headers": _AS_STORED}
        # Where nothing is given, the environment says whether plain http will do, as with AWS_ALLOW_HTTP.
        given: Any = {"config": config, "client_options": options or None}
        return from_url(root, **given, retry_config={"retry_timeout": _PATIENCE})
    except Exception as error:
        raise told(error) from None


def parted(path: str) -> tuple[Any, str, str]:
    """The store, its root and the key. Raises OSError."""
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if "?" in key and scheme in ("http", "https"):
        raise OSError(
            None, "what stands behind ? would be kept with the run: fetch the file and give it, or pipe it in"
        )
    root = f"{scheme}://{bucket}"
    try:
        return store_of(root), root, unquote(key) if root.startswith("http") else key
    except ImportError:
        how = _FETCHING.get(scheme, "").format(f"{path.rpartition('/')[0]}/")
        raise OSError(None, f"{MISSING}, as with {how}" if how else MISSING) from None


def told(error: Exception) -> OSError:
    """A store's error as one line."""
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(None, "there is no such object")
    text = str(error).split("\n", 1)[0]
    if found := _ODD_KEY.search(text):
        name = found[1] if found[1].isprintable() else ascii(found[1])[1:-1]
        told = "and none with empty parts, with . or .. for one, or with control characters can be listed"
        return OSError(
            None, f"an object is called {name}, {told}: rename it, or fetch them all first, as with aws s3 sync"
        )
    if NO_LENGTH in text:
        return OSError(None, "its server doesn't say how long it is: fetch it and give the file, or pipe it in")
    if found := _OWN_ROLE.search(text):  # asked last, where nothing else has been given
        profiles = "" if "google" in found[1] else f"; {_PROFILES}"
        return OSError(None, f"{NO_CREDENTIALS}, and this machine has no role of its own{profiles}")
    if "redirect without LOCATION" in text:
        return OSError(None, "the bucket is in another region: AWS_REGION says in which")
    if "Account must be specified" in text:
        return OSError(None, "AZURE_STORAGE_ACCOUNT_NAME, whose container it is, isn't set")
    said = _SAID.search(str(error))
    if not said and "The operation lacked" in text:
        return OSError(None, "the store refuses it: these credentials have no right to read it")
    return OSError(None, (f"{said[1]}: {said[2] or text}" if said else text)[:300])


def head(root: str, key: str) -> Any:
    """What is known of an object."""
    import obstore

    refuse_down(root)
    try:
        found = interruptible(partial(obstore.head, store_of(root), key))
    except obstore.exceptions.GenericError as error:
        if not is_unpacked(root, error):
            failed[root] += 1
            raise
        found = interruptible(partial(obstore.head, store_of(root, as_stored=True), key))
    failed[root] = 0
    return found


def refuse_down(root: str) -> None:
    """Raise OSError where a store answers no more: each object would be waited for in vain, for minutes."""
    if failed[root] >= _MOST_FAILED:
        raise OSError(None, _DOWN)


def is_unpacked(root: str, error: Exception) -> bool:
    """Whether an answer lacked what Google's store leaves out where it unpacks."""
    return root.startswith("gs://") and "Header missing from response" in str(error)


def note(path: str, meta: Any) -> None:
    """Keep what is known of the object at this address."""
    changed = int(meta["last_modified"].timestamp() * 1_000_000)  # 0 where the server doesn't say when
    tag = meta["e_tag"] or ""
    if tag and not tag.endswith('"'):  # Azure's lists leave the quotes out
        tag = f'"{tag}"'
    _stamps[path] = Stamp(meta["size"], tag or (meta["last_modified"].isoformat() if changed else ""))
    modified[path] = changed


def noted(root: str, meta: Any) -> str:
    """The same for an object that a list tells of; its address."""
    path = f"{root}/{meta['path']}"
    note(path, meta)
    return path


def stamp(path: str) -> Stamp | None:
    """The object as it was last seen, or as it is; None where it is gone."""
    if path not in _stamps:
        with suppress(Exception):
            _, root, key = parted(path)
            note(path, head(root, key))
    return _stamps.get(path)
