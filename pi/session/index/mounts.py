"""Whether a folder is on a network file system, where SQLite's shared memory does not reach."""

from pathlib import Path

__all__ = ["is_network"]

NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "glusterfs", "virtiofs"),
    }
)
TABLE = Path("/proc/self/mounts")


def is_network(folder: Path, table: Path = TABLE) -> bool:
    """By the system's table of mounts; False where there is none (macOS, Windows)."""
    try:
        mounts = table.read_text(errors="surrogateescape")
    except OSError:
        return False
    parts = folder.resolve().parts
    deepest, kind = 0, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_plain(fields[1])).parts
        if len(point) >= deepest and parts[: len(point)] == point:
            deepest, kind = len(point), fields[2]
    return kind in NETWORK


def _plain(point: str) -> str:
    """The table writes blanks and the like as \\040."""
    for escape, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(escape, char)
    return point
