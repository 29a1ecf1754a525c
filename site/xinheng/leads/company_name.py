"""The name of a company as it is compared: two spellings of one name are equal, two companies hardly ever.

What people type is shown as they typed it; this is only what its index is made of. It rather misses a match than makes
a false one: a place stays in the name (深圳华强 isn't 上海华强), and what could be anybody's matches nobody.
"""

from __future__ import annotations

import re
import unicodedata

from xinheng.chinese import simplify

LONGEST = 80
"""In characters, as it is kept of a lead."""

_LEAST = 3
"""Characters of Chinese that tell a company from others; of letters one more."""

_ENDING = re.compile(
    r"(?:集团)?(?:股份有限公司|有限责任公司|有限公司|公司|厂|集团)$|(?:co|company)?(?:limited|ltd)$|(?:inc|llc|corporation)$"
)
_PROVINCE = re.compile(r"^\w{2,3}?(?:省|壮族自治区|回族自治区|维吾尔自治区|自治区)(?=\w{2,3}市)")
_AFTER_PLACE = re.compile(r"^(\w{2,3}?)[省市](?=\w{3})")
_ANYBODYS = re.compile(
    r"(?:我们?|本|某|一家|单位|企业|公司|工厂|个体|工商户|个人|没有|暂无|无|保密|不便透露|不方便|有限|股份|集团|贸易|商贸|工贸|外贸"
    r"|进出口|科技|技术|实业|国际|服装|五金|机械|电子|建材|物流|食品|化工|机电|服务|商行|经营部|店|的|小|大|[市财销采]\w部|\w{2,3}[省市])+"
)


def plain_company(typed: str) -> str:
    """What is compared of a company's name; empty where the name is too short or too common to tell it from others."""
    folded = simplify(unicodedata.normalize("NFKC", typed).lower())
    letters = "".join(filter(str.isalnum, folded))
    core = _AFTER_PLACE.sub(r"\1", _PROVINCE.sub("", _without_ending(letters)))
    least = _LEAST if re.search(r"[㐀-鿿]", core) else _LEAST + 1
    return "" if len(core) < least or core.isnumeric() or _ANYBODYS.fullmatch(core) else core


def _without_ending(letters: str) -> str:
    """Without the legal form; 某某集团有限公司 and 某某集团 are one."""
    shorter = _ENDING.sub("", letters)
    return letters if shorter == letters else _without_ending(shorter)
