"""The audit in words: what was done, its details, and what a check of the chain found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from xinheng.audit.models import Action
from xinheng.audit.report import Break, What
from xinheng.desk import words
from xinheng.i18n import gettext

ACTION: dict[Action, object] = {
    "view": _("打开"),
    "reveal": _("查看号码"),
    "export": _("导出"),
    "edit": _("修改"),
    "assign": _("换负责人"),
    "delete": _("删除"),
    "sign_in": _("登录"),
    "sign_in_failed": _("登录失败"),
    "sign_out": _("退出"),
    "two_factor_failed": _("验证码不对"),
    "two_factor_set": _("设置两步验证"),
    "recovery_used": _("用了恢复码"),
    "password_changed": _("改了密码"),
    "sessions_ended": _("结束会话"),
    "role_changed": _("改了角色"),
    "staff_added": _("添加成员"),
    "staff_invited": _("邀请成员"),
    "staff_joined": _("接受邀请"),
    "staff_reset": _("重置成员"),
    "staff_disabled": _("停用成员"),
    "denied": _("被拒绝"),
    "notice_tested": _("试发通知"),
    "notices_again": _("重发通知"),
    "request": _("个人信息请求"),
    "restrict": _("限制处理"),
    "merge": _("合并线索"),
    "unmerge": _("撤销合并"),
    "split": _("拆分线索"),
}
NOBODY = {"": _("未登录的人"), "system": _("系统"), "command": _("命令行")}
DETAIL = {
    "columns": _("列"),
    "count": _("数量"),
    "filters": _("筛选"),
    "format": _("格式"),
    "from": _("原来"),
    "left": _("还剩"),
    "masked": _("打码"),
    "method": _("方式"),
    "reason": _("原因"),
    "roles": _("角色"),
    "to": _("改为"),
    "what": _("内容"),
}
_OWN_CODES = {
    "csv": "CSV",
    "json": "JSON",
    "xlsx": "Excel",
    "name": _("名字"),
    "duty": _("值班"),
    "on_duty": _("在岗"),
    "away": _("不在岗"),
    "capacity": _("手上最多几条"),
    "password": _("密码"),
    "plan": _("下一步"),
    "company": _("单位"),
    "apart": _("不是同一人"),
    "together": _("可能是同一人"),
    "quarantine": _("隔离区"),
    "accepted": _("不是垃圾"),
    "spam": _("是垃圾"),
    "status": _("状态"),
    "permission": _("没有权限"),
    "totp": _("验证码"),
    "authenticator": _("验证码"),
    "code": _("验证码"),
    "recovery": _("恢复代码"),
    "recovery_codes": _("恢复代码"),
    "throttled": _("试得太多"),
    "verified": _("已确认是本人"),
    "restricted": _("限制处理"),
    "unrestricted": _("解除限制"),
    "corrected": _("姓名或电话"),
    "retention": _("到期"),
    "request": _("本人要求"),
}
CODE: Mapping[str, object] = {
    **words.REQUEST,
    **words.OUTCOME,
    **words.STATUS,
    **words.REASON,
    **words.ROLE,
    **words.CHANNEL,
    **_OWN_CODES,
}


def detail_words(detail: Mapping[str, Any], people: Mapping[str, str]) -> list[tuple[str, str]]:
    """A detail as names and values, in the order of their names' list; a code without words stays itself."""
    known = sorted(detail.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER)))
    return [(str(DETAIL.get(key, key)), _value(value, people)) for key, value in known]


def person(actor: str, people: Mapping[str, str]) -> str:
    """Who acted: a member's name, or what acts without being one."""
    return str(NOBODY[actor]) if actor in NOBODY else people.get(actor) or str(gettext("不在名单里的账号"))


def break_words(found: Break) -> str:
    """One thing that a check found, as a sentence without its full stop."""
    return str(_BREAKS[found.what]) % {"rows": _rows(found.first, found.last)}


def what_to_do() -> str:
    return str(gettext("先备份数据库再查；怎么查、每一种意味着什么，见 docs/audit.md"))


_ORDER = {key: place for place, key in enumerate(("what", "from", "to", "reason", "role", "roles", "count"))}
_BREAKS: Mapping[What, object] = {
    "changed": _("%(rows)s被改过"),
    "unproved": _("%(rows)s无法核对：前一条不在或被改过"),
    "missing": _("%(rows)s不见了"),
    "cut": _("末尾的%(rows)s被截掉了"),
    "inserted": _("%(rows)s不是本程序写的，或末尾被改小了"),
    "head_missing": _("末尾标记不见了或读不出来：不能再记录，也不知道末尾有没有被截"),
    "head_changed": _("末尾标记和最后一条对不上"),
    "not_as_noted": _("%(rows)s和当时抄下的不一样，或者已经不在"),
    "no_row_fits": _("没有一条对得上：密钥（index.key）不是写记录时的那一把，或者全部被改写"),
}


def _rows(first: int, last: int) -> str:
    if first == last:
        return str(gettext("第 %(row)s 条", row=first))
    return str(gettext("第 %(first)s 到 %(last)s 条", first=first, last=last))


def _value(value: Any, people: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return gettext("、").join(_value(each, people) for each in value) or str(gettext("无"))
    if isinstance(value, bool):
        return str(gettext("是") if value else gettext("否"))
    if value is None or value == "":
        return str(gettext("无"))
    return people.get(str(value)) or str(CODE.get(str(value), value))
