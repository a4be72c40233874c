"""File systems: a queue cannot be on one of a network, whose locks and shared memory end at the machine."""

from pathlib import Path

from openapi.clients.python.errors import OutboxError

MOUNTS = Path("/proc/self/mountinfo")
_OF_NETWORKS = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "9p",
    "ceph",
    "gluster",
    "lustre",
    "gpfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "davfs",
)


def require_local(directory: Path) -> None:
    """OutboxError if `directory` is on a file system of a network; only Linux can tell."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    kind = _kind_at(str(directory.resolve()), lines)
    if kind.startswith(_OF_NETWORKS):
        raise OutboxError(f"{directory} is on a network file system ({kind}): put the outbox on a local disk")


def _kind_at(directory: str, lines: list[str]) -> str:
    """The type of the file system that is mounted nearest above `directory`."""
    nearest, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")  # a blank is written as \040
        is_above = directory == point or directory.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(nearest):  # of two at one point, the later one hides the other
            nearest, kind = point, after.split(" ")[0]
    return kind
