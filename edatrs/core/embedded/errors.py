"""The one way in which the launcher fails."""

from __future__ import annotations

import errno


class Trouble(Exception):
    """Something that stops the services, said in one line: the resource, what is wrong, the remedy."""

    def __init__(self, resource: object, problem: str, remedy: str) -> None:
        self.resource = str(resource)
        # A path may hold a line break, and a log line surely does: the promise is one line.
        super().__init__(" ".join(f"{resource}: {problem}; {remedy}".split()))


def from_os_error(error: OSError, resource: object) -> Trouble:
    """Say an error of the operating system as trouble with `resource` (or the file it names itself)."""
    resource = error.filename or resource
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return no_space(resource)
        case errno.EACCES | errno.EPERM:
            return Trouble(
                resource,
                "this account may not use it",
                "run as its owner, or set EDATRS_STATE to a folder of your own",
            )
        case errno.EROFS:
            return Trouble(
                resource, "is on a read-only disk", "set EDATRS_STATE to a folder that can be written"
            )
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return Trouble(
                resource, "is in the way (a file where a folder belongs, or the reverse)", "move it away"
            )
    return Trouble(
        resource,
        error.strerror or type(error).__name__,
        "put that right, or set EDATRS_STATE to another folder",
    )


def no_space(resource: object) -> Trouble:
    """The disk, or the account's share of it, is full."""
    return Trouble(
        resource,
        "no space left on the disk",
        "free some space, or set EDATRS_STATE to a folder on another disk",
    )
