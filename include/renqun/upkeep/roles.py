"""Who may read what of a shop: the pipeline everything, analysts what is published for them, others nothing.

Analysts are a UNIX group (`RENQUN_ANALYSTS_GROUP`). They read published marts and the verdicts of gates, which hold no
phone number, address or name. Raw, the drop folder, the warehouse with its vault and the audience files are the
pipeline's. The folders are the doors: what lies behind a closed one needs no mode of its own.
"""

from __future__ import annotations

import grp
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from renqun.errors import RequestError, TechnicalError
from renqun.settings import Home, ShopPaths

_PASS = 0o711
_OWNER_ONLY = 0o700
_GROUP_READS = 0o2750
_NOBODY_ELSE = 0o007


class RoleSettings(BaseSettings):
    """From the environment (`RENQUN_ANALYSTS_GROUP`)."""

    model_config = SettingsConfigDict(env_prefix="RENQUN_")

    analysts_group: str | None = None
    """The UNIX group of analysts; none: only the pipeline's user reads anything."""


@dataclass(frozen=True)
class Door:
    """A folder and the mode that it has to have."""

    folder: Path
    mode: int
    is_for_analysts: bool


def doors(home: Home, paths: ShopPaths, *, has_analysts: bool) -> list[Door]:
    """The folders of a shop that let somebody through or keep them out."""
    readable = _GROUP_READS if has_analysts else _OWNER_ONLY
    return [
        Door(home.root, _PASS, False),
        Door(paths.root, _PASS, False),
        Door(paths.root / "published", _PASS, False),
        Door(paths.raw, _OWNER_ONLY, False),
        Door(paths.warehouse_dir, _OWNER_ONLY, False),
        Door(paths.published_audiences, _OWNER_ONLY, False),
        Door(paths.quality / "erasures", _OWNER_ONLY, False),
        Door(paths.published_marts, readable, has_analysts),
        Door(paths.quality, readable, has_analysts),
    ]


def apply_roles(home: Home, shop_id: str) -> list[Door]:
    """Make the doors of a shop, and give each its mode and group; to be called again whenever somebody changed one.

    The drop folder keeps its owner and group, by which files are delivered; others lose every right to it.

    Returns:
        The doors that were not as they are now.

    Raises:
        RequestError: there is no such group.
        TechnicalError: this user may not change a folder.
    """
    paths = home.paths(shop_id)
    group = RoleSettings().analysts_group
    group_id = _group_id(group) if group else None
    changed = []
    try:
        for door in doors(home, paths, has_analysts=group is not None):
            door.folder.mkdir(parents=True, exist_ok=True)
            if door.is_for_analysts and group_id is not None:
                changed += [door] if _hand_over(door.folder, group_id) else []
            if stat.S_IMODE(door.folder.stat().st_mode) != door.mode:
                door.folder.chmod(door.mode)
                changed.append(door)
        paths.landing.mkdir(exist_ok=True)
        mode = stat.S_IMODE(paths.landing.stat().st_mode)
        if mode & _NOBODY_ELSE:
            paths.landing.chmod(mode & ~_NOBODY_ELSE)
            changed.append(Door(paths.landing, mode & ~_NOBODY_ELSE, False))
    except PermissionError as error:
        raise TechnicalError(
            f"a folder's mode or group cannot be changed: {error.strerror}",
            where=str(error.filename),
            remedy="call this as the user that runs the pipeline; that user has to be in the analysts' group",
        ) from error
    return list(dict.fromkeys(changed))


def _hand_over(folder: Path, group_id: int) -> bool:
    """Give a folder and everything in it to a group; what is made in it later inherits the group."""
    moved = False
    for path in (folder, *folder.rglob("*")):
        state = path.lstat()
        if state.st_gid != group_id and path.name != "erasures" and "erasures" not in path.parts:
            os.chown(path, -1, group_id, follow_symlinks=False)
            moved = True
        if stat.S_ISLNK(state.st_mode):
            continue
        if stat.S_ISDIR(state.st_mode) and path != folder and path.name != "erasures":
            wanted = stat.S_IMODE(state.st_mode) | 0o2050
            if stat.S_IMODE(path.stat().st_mode) != wanted:
                path.chmod(wanted)
        elif stat.S_ISREG(state.st_mode) and not state.st_mode & 0o040:
            path.chmod(stat.S_IMODE(state.st_mode) | 0o040)
    return moved


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise RequestError(
            f"this machine has no group {name!r}",
            where="RENQUN_ANALYSTS_GROUP",
            remedy=f"make it ('groupadd {name}') and add the analysts and the pipeline's user to it",
        ) from error
