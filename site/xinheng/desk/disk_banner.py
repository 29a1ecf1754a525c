"""On every page of the desk, for who can do something about it: that the disk fills up."""

from __future__ import annotations

from flask import current_app

from xinheng.desk.permission import may
from xinheng.desk.sign_in_gate import Banner
from xinheng.disk import Disk
from xinheng.i18n import gettext as _
from xinheng.staff.permissions import Permission


def disk_banners() -> list[Banner]:
    """A banner while there is little room, and another once only enquiries are written."""
    disk: Disk = current_app.extensions["xinheng.disk"]
    if not may(Permission.NOTICES) or not disk.little:
        return []
    if disk.short:
        return [
            Banner(
                _(
                    "服务器的硬盘只剩最后一点，留给咨询，别的会停下来。请管理员马上腾出空间，见 docs/operate.md。"
                )
            )
        ]
    return [Banner(_("服务器的硬盘快满了。请管理员腾出空间，见 docs/operate.md。"))]
