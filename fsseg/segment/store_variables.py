"""Variables of the environment that name a store or its credentials, and can't be meant: obstore gives up at them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

ENDPOINT = re.compile(r"https?://[^\s/]\S*")
"""What the address of a store looks like."""
_ENDPOINTS = {"s3": ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")}
_WORDS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
}
"""Those of one word: a file that one was taken from may have left its line end in it."""


def wrong_variable(scheme: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with the first of them that can't be meant; never its value, which may be secret."""
    for name in _WORDS.get(scheme, ()):
        if re.search(r"[\s\x00-\x1f\x7f]", environment.get(name, "")):
            return f"{name} in the environment has a blank or a line end in it"
    for name in _ENDPOINTS.get(scheme, ()):
        if (value := environment.get(name)) and not ENDPOINT.fullmatch(value):
            return f"{name} in the environment is no address: one reads like https://minio.example:9000"
    return None
