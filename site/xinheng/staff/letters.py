"""What members are told about their accounts by mail: in Chinese, as all notices are. The first line is the subject."""

from __future__ import annotations

from xinheng.staff.links import LASTS, Kind


def letter_with_link(kind: Kind, company: str, address: str) -> str:
    """The link by which they set a password."""
    subject = f"请加入{company}工作台" if kind == "invite" else f"{company}工作台：请设一个新密码"
    hours = int(LASTS.total_seconds()) // 3600
    return (
        f"{subject}\n{hours}小时之内打开下面的链接，设一个自己的密码；链接只能用一次，不要转给别人。\n{address}\n"
        "不知道这是怎么回事的，请不要打开，告诉公司的管理员。"
    )


def letter_of_second_factor(site: str) -> str:
    """That an administrator took the second factor away: it may not have been their wish."""
    return (
        "您的工作台账号取消了两步验证\n管理员取消的，旧的恢复代码也作废了；下次登录请重新设置。不是您要求的，请马上告诉管理员。\n"
        f"登录：{site}/desk/"
    )
