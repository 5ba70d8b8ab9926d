"""Types of single values of settings, and what all groups have in common.

Nothing may enter that belongs to one setting alone, or that compares values with each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FilePath

# What is said of a folder in place of a file.
IS_FOLDER = "is a folder"


def _matching(pattern: str, allowed: str) -> Any:
    """A string that matches `pattern`; `allowed` describes the pattern for error messages."""
    return Field(pattern=pattern, json_schema_extra={"allowed": allowed})


def _with_ports(value: str) -> str:
    ports = (int(server.rpartition(":")[2]) for server in value.split(","))
    if not all(1 <= port <= 65535 for port in ports):
        raise ValueError("has a port that is not within 1 to 65535")
    return value


def _without_auth(value: str) -> str:
    names = [pair.partition("=")[0] for pair in value.split(",")]
    if "auth" in names:
        raise ValueError("names auth, which is the token's own place")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"names {twice[0]} twice")
    return value


def _no_folder_path(value: Any) -> Any:
    """Say what is wrong with a path; that it is not there is said by `FilePath`."""
    if value == "":
        raise ValueError("is empty")
    try:
        is_folder = isinstance(value, str | Path) and Path(value).is_dir()
    except OSError as error:
        # Such as a whole key in place of its file. The error's own text has all of it.
        raise ValueError(f"cannot be looked at ({error.strerror})") from None
    if is_folder:
        raise ValueError(IS_FOLDER)
    return value


def _no_folder(value: str) -> str:
    if value in (".", ".."):
        raise ValueError("is not allowed by Kafka")
    return value


def _without_login(value: str) -> str:
    if "@" in value.split("/", 3)[2]:
        raise ValueError(
            "holds a login; set SENTIMENT_KAFKA__SCHEMA_REGISTRY_USERNAME and _PASSWORD_FILE"
        )
    return value


def _of_one_server(value: str) -> str:
    server = value.split("/", 3)[2]
    port = server.rpartition("]")[2].partition(":")[2]
    if "," in server:
        raise ValueError("names several servers; name one")
    if "?" in value or "#" in value:
        raise ValueError("has a ? or #, behind which paths cannot go on")
    if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise ValueError("has a port that is not within 1 to 65535")
    return value


# Of topics and groups.
NAME_PATTERN = r"^[A-Za-z0-9._-]{1,249}$"
NAME_ALLOWED = "1 to 249 of the characters A-Z a-z 0-9 . _ -"
Name = Annotated[str, _matching(NAME_PATTERN, NAME_ALLOWED)]
InstanceName = Annotated[Name, AfterValidator(_no_folder)]
Names = Annotated[
    str,
    _matching(
        r"^[A-Za-z0-9._-]{1,249}(,[A-Za-z0-9._-]{1,249})*$",
        "names of A-Z a-z 0-9 . _ - separated by commas without spaces, like posts,reviews",
    ),
]
HeaderNames = Annotated[
    str,
    _matching(
        r"^[^\s,*]+\*?(,[^\s,*]+\*?)*$",
        "names separated by commas without spaces, like x-debug,x-internal-*",
    ),
]
# As Kafka takes them; a value cannot hold a comma here.
Extensions = Annotated[
    str,
    _matching(
        r"^[A-Za-z]+=[!-+\--~]+(,[A-Za-z]+=[!-+\--~]+)*$",
        "name=value, the name of A-Z a-z, the value of ASCII without spaces and commas; several "
        "separated by commas, each name once",
    ),
    AfterValidator(_without_auth),
]
Servers = Annotated[
    str,
    _matching(
        r"^[^\s,/]+:[0-9]{1,5}(,[^\s,/]+:[0-9]{1,5})*$",
        "host:port, several separated by commas without spaces, like a:9092,b:9092",
    ),
    AfterValidator(_with_ports),
]
Commit = Annotated[str, _matching(r"^[0-9a-f]{7,40}$", "7 to 40 of the characters 0-9 a-f")]
Device = Annotated[
    str, _matching(r"^(auto|cpu|mps|cuda(:[0-9]{1,4})?)$", "auto, cpu, mps, cuda or cuda:N")
]
Label = Annotated[
    str, _matching(r"^[A-Za-z0-9_-]{1,64}$", "1 to 64 of the characters A-Z a-z 0-9 _ -")
]
Languages = Annotated[
    str, _matching(r"^[a-z]{2,3}(,[a-z]{2,3})*$", "codes separated by commas, like en,de")
]
Url = Annotated[str, _matching(r"^https?://[^\s/]+(/\S*)?$", "an http:// or https:// address")]
RegistryUrl = Annotated[Url, AfterValidator(_without_login), AfterValidator(_of_one_server)]
File = Annotated[FilePath, BeforeValidator(_no_folder_path)]
NotEmpty = Annotated[str, Field(min_length=1)]
Milliseconds = Annotated[int, Field(ge=1, le=24 * 3600 * 1000)]


class Group(BaseModel):
    """Settings with a common prefix; immutable, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
