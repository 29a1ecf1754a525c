"""The desk's words for keys that leads carry, in the language of whoever reads."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from xinheng.assessments import INSUFFICIENT
from xinheng.leads.verdict import Reason
from xinheng.leads.wanted import View

STATUS = {
    "new": _("新线索"),
    "contacted": _("已联系"),
    "interested": _("有意向"),
    "proposal": _("方案中"),
    "won": _("成交"),
    "lost": _("未成交"),
    "invalid": _("无效"),
}
REASON = {
    "no_need": _("暂时不需要"),
    "price": _("价格谈不拢"),
    "competitor": _("选了别家"),
    "solved": _("自己解决了"),
    "unreachable": _("多次联系不上"),
    "wrong_number": _("空号或错号"),
    "no_business": _("不是我们的业务"),
    "advertising": _("广告或骚扰"),
    "test": _("测试"),
    "other": _("其他"),
}
VIEWS: dict[View, object] = {
    "late": _("已逾期"),
    "first": _("待首次联系"),
    "today": _("今天跟进"),
    "stuck": _("无下一步"),
}
SORTS = {
    "newest": _("最新来的在前"),
    "waiting": _("等得久的在前"),
    "due": _("先到期的在前"),
    "priority": _("该先打的在前"),
}
SOURCE = {
    "search": _("搜索"),
    "social": _("社交与公众号"),
    "direct": _("直接访问"),
    "own": _("站内"),
    "other": _("其他网站"),
}
CAMPAIGN = {
    "ad": _("广告"),
    "email": _("邮件"),
    "message": _("短信"),
    "social": _("公众号与社交"),
    "offline": _("线下"),
    "partner": _("合作伙伴"),
}
STEP = {
    "reads": _("阅读文章"),
    "begun": _("开始自查"),
    "finished": _("做完自查"),
    "enquiries": _("咨询"),
    "contacted": _("已联系"),
    "won": _("成交"),
}
"""The steps of the funnel."""
LEVEL: Mapping[str, object] = {
    "high": _("高"),
    "elevated": _("偏高"),
    "moderate": _("中等"),
    "low": _("较低"),
    INSUFFICIENT: _("信息不足"),
}
"""What a health check came to. In Chinese its own definition has the words: see level_names.py."""
LEVEL_DOTS = {"low": 1, "moderate": 2, "elevated": 3, "high": 4}
PURPOSE = {"callback": _("回电"), "marketing": _("新文章短信"), "attach_assessment": _("附上自查结果")}
ROLE = {
    "sales": _("销售"),
    "sales_lead": _("销售主管"),
    "editor": _("编辑"),
    "privacy": _("隐私专员"),
    "admin": _("管理员"),
}
ROLE_MEANS = {
    "sales": _("跟进自己的和没有人负责的线索"),
    "sales_lead": _("看和分配所有线索，看统计、通知和成员"),
    "editor": _("看没有发布的文章和自查统计，看不到线索"),
    "privacy": _("答复个人信息请求，看访问记录"),
    "admin": _("管成员和账号，看通知和访问记录，看不到线索"),
}
ACCOUNT = {
    "active": _("在用"),
    "one_time": _("还在用一次性密码"),
    "reset": _("等他设新密码"),
    "invited": _("已邀请"),
    "expired": _("邀请过期了"),
    "left": _("已离开"),
}
EVENT = {
    "enquiry": _("提交咨询"),
    "reopened": _("重新打开"),
    "released": _("从隔离区放行"),
    "note": _("记了一笔"),
    "connected": _("接通了"),
    "no_answer": _("未接通"),
    "wechat": _("已加微信"),
    "planned": _("定了下一步"),
    "status": _("改了状态"),
    "assigned": _("换了负责人"),
    "late": _("首次响应超时，已提醒"),
    "returned": _("很久没有动，退回未分配"),
    "withdrawn": _("撤回了同意"),
    "restricted": _("限制处理"),
    "unrestricted": _("解除限制"),
    "corrected": _("更正了姓名或电话"),
    "company": _("改了单位"),
    "unmerged": _("撤销了合并"),
    "split_off": _("从另一条线索拆出来"),
    "apart": _("认定和另一条不是同一人"),
    "together": _("撤回“不是同一人”"),
}
SAME = {
    "mobile": _("同一手机"),
    "landline": _("同一座机"),
    "number": _("同一号码"),
    "company": _("同一公司"),
}
"""Why two leads may be the same person."""

MERGE_REFUSED = {
    "unreadable": _("有一条的姓名或电话读不出来（密钥不符），现在不能合并，也不能撤销"),
    "itself": _("这是同一条线索"),
    "late": _("这次合并已经不能撤销：过了30天，或者后来拆分、更正过，或本人撤回过同意"),
    "later_first": _("后来又合并过别的，请先撤销后来的那一次"),
    "empty": _("并进来的咨询后来都拆出去了，没有什么可以分开"),
}
SPLIT_REFUSED = {
    "nothing": _("请勾选要拆出去的咨询"),
    "everything": _("至少要留下一份咨询"),
    "unreadable": _("有一份咨询读不出来（密钥不符），现在不能拆分"),
}
SUSPICION: dict[Reason, object] = {
    "trap": _("填了看不见的栏"),
    "forged_stamp": _("时间戳是伪造的"),
    "too_quick": _("三秒内就填完"),
    "address": _("同一网络来得太多"),
    "phone": _("同一电话来得太多"),
    "all": _("全站来得太多"),
    "same_text": _("几个电话写同样的话"),
    "links": _("链接多，或链接在姓名里"),
    "link": _("有链接"),
    "no_chinese": _("没有一个中文字"),
    "few_words": _("几乎没有字"),
    "fake_phone": _("不会有人接的号码"),
    "odd_phone": _("像随手填的号码"),
}
HELD = {
    "quarantined": _("隔离区"),
    "spam": _("判为垃圾"),
    "restricted": _("已限制处理"),
    "withdrawn": _("已撤回同意"),
}
"""Enquiries without a lead, and leads that are held back."""

CHANNEL = {"mail": _("邮件"), "wecom": _("企业微信"), "dingtalk": _("钉钉"), "feishu": _("飞书")}
NOTICE = {
    "waiting": _("待发"),
    "sent": _("已发出"),
    "logged": _("只在日志里"),
    "failed": _("没有发出"),
    "seen": _("已有人看过"),
    "void": _("不再需要"),
}
REQUEST = {
    "withdraw": _("撤回同意"),
    "stop_marketing": _("不再收短信"),
    "detach_result": _("撤回自查结果"),
    "delete": _("删除"),
    "access": _("查阅、复制"),
    "correct": _("更正、补充"),
    "restrict": _("限制处理"),
    "complaint": _("投诉或其他"),
}
OUTCOME = {"done": _("已办"), "deleted": _("已删除"), "refused": _("已拒绝")}
