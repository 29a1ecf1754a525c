"""Chinese text as words, as bigrams for the full-text index, and in simplified characters.

Every function folds its text in the same way first, so that what is indexed, what is compared and
what is searched for meet: full-width and half-width, upper and lower case, traditional and
simplified characters are one. The dictionary is this module's own, not rjieba's shared one, so
that no other code can change how we cut.
"""

import re
import unicodedata
from functools import cache

from opencc import OpenCC
from rjieba import Jieba

_DOMAIN_WORDS = """
    应收账款 应收票据 应付账款 预收账款 预付账款 其他应收款 账龄 账期 坏账 坏账准备 坏账率 呆账 死账 催收 催款
    催款函 对账 对账单 对账函 回款 回款率 回款周期 赊销 赊账 授信 授信额度 信用额度 信用期 信用政策 信用管理
    信用评估 信用保险 信用证 信用减值 预期信用损失 保理 反向保理 供应链金融 应收账款融资 应收账款质押 商业汇票
    银行承兑汇票 商业承兑汇票 承兑汇票 票据贴现 周转天数 周转率 现金流 现金流量 营运资金 流动资金 资金占用
    逾期 逾期率 滞纳金 违约金 诉讼时效 支付令 财产保全 强制执行 失信被执行人 律师函 所有权保留 债权转让
    债务重组 以物抵债 核销 计提 减值 收入确认 权责发生制 增值税发票 质保金 履约保证金 进度款 到期日 结算方式
"""

DOMAIN_WORDS: tuple[str, ...] = tuple(_DOMAIN_WORDS.split())
"""What our articles are about and the dictionary would otherwise cut apart."""

_STOP_WORDS = """
    我们 你们 他们 她们 它们 自己 大家 咱们 别人 这个 那个 这些 那些 这样 那样 这么 那么 这里 那里 这种 那种 这是
    什么 怎么 怎样 怎么样 如何 为何 哪些 哪个 哪里 多少 是否 为什么 一个 一些 一种 一样 一般 一下 一直 一定 一点
    这时 此时 同时 当时 有时 之后 之前 以后 以前 之间 之中 其中 其他 其它 其实 以及 以上 以下 以内 以外 以来
    因为 所以 因此 因而 由于 于是 从而 虽然 但是 不过 然而 可是 只是 只有 只要 如果 假如 要是 即使 尽管
    而且 并且 或者 或是 还是 还有 以便 不仅 不但 不是 不会 不能 不要 不同 不用 没有 无法 就是 也是 都是 而是
    可以 可能 能够 应该 应当 需要 必须 已经 正在 曾经 将会 还会 也会 都会 就会 使用 通过 进行 关于 对于 根据
    按照 作为 为了 除了 随着 包括 例如 比如 譬如 等等 之类 所有 任何 每个 各种 各个 各自 许多 很多 非常 十分
    比较 更加 特别 尤其 几乎 大约 左右 甚至 只能 仍然 依然 总是 往往 经常 目前 现在 今天 最后 首先 其次 然后
    再次 另外 此外 总之 一方面 另一方面 的话 来说 而言 来看 出来 起来 下来 下去 上去 过来 时候 方面 情况 问题
    the and for with that this from are was not you have can but all will has its which your our their they
    an as at be by do if in is it of on or so to we how what when where why
    的 了 着 过 吗 呢 吧 和 与 及 或 是 在 有 也 都 就 而 把 被 对 从 向 到 我 你 他 她 它 这 那
"""

STOP_WORDS: frozenset[str] = frozenset(_STOP_WORDS.split())
"""Words found on any subject. The single characters matter to queries only: `words` drops them all."""

_LONGEST_PIECE = 7
_OPENING = frozenset("（《“‘「『【〈([")
_HAN = "々〇㐀-䶿一-鿿豈-﫿𠀀-𳏿"
_RUNS = re.compile(rf"([{_HAN}]+)|[^\W_{_HAN}]+")


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def _segmenter() -> Jieba:
    segmenter = Jieba()
    for word in DOMAIN_WORDS:
        segmenter.add_word(word, None, None)
    return segmenter


def simplify(text: str) -> str:
    """The text in simplified characters; 帐, which OpenCC keeps, becomes 账."""
    simplified: str = _converter().convert(text)
    return simplified.replace("帐", "账")


def _fold(text: str) -> str:
    return simplify(unicodedata.normalize("NFKC", text).lower())


def words(text: str) -> list[str]:
    """The words that say what a text is about, in its order and as often as they are there.

    Left out: punctuation, numbers, single characters, stop words.
    """
    return [
        word
        for word in _segmenter().cut(_fold(text))
        if len(word) > 1 and word not in STOP_WORDS and _has_letter(word)
    ]


def query_words(text: str) -> list[str]:
    """The words of a search query, each once: as `words`, but with single characters and numbers.

    A query of nothing but stop words keeps them, for somebody did look for them.
    """
    found = [word for word in _segmenter().cut(_fold(text)) if any(map(str.isalnum, word))]
    return list(dict.fromkeys(word for word in found if word not in STOP_WORDS) or dict.fromkeys(found))


def bigrams(text: str) -> str:
    """What the full-text index is fed, and what its queries are made of: tokens between spaces.

    Each run of Chinese characters gives its overlapping pairs, or the character where it is alone
    (应收账款 → 应收 收账 账款); each run of other letters and digits is one token. So two-character
    words are found inside any sentence, without regard to where a dictionary would cut.
    """
    tokens: list[str] = []
    for run in _RUNS.finditer(_fold(text)):
        token = run.group()
        if run.group(1) is None or len(token) == 1:
            tokens.append(token)
        else:
            tokens.extend(token[start : start + 2] for start in range(len(token) - 1))
    return " ".join(tokens)


def line_pieces(text: str) -> tuple[str, ...]:
    """The text in pieces that a line should not break: words, with the marks and small words that belong to them.

    Joined they give the text again, letter for letter.
    """
    pieces: list[str] = []
    waits = (
        True  # whether the last piece still lacks its word: nothing came yet, an opening mark, a small word
    )
    for token in _segmenter().cut(text):
        mark = not any(map(str.isalnum, token))
        small = len(token) == 1 and not mark
        after_mark = bool(pieces) and not pieces[-1][-1].isalnum()
        leans = (mark and token not in _OPENING) or (small and not after_mark)
        if pieces and (waits or leans) and len(pieces[-1]) < _LONGEST_PIECE:
            pieces[-1] += token
        else:
            pieces.append(token)
        waits = token in _OPENING or (small and after_mark)
    return tuple(pieces)


def _has_letter(word: str) -> bool:
    """Neither punctuation nor a number: 一千五百 and 3.5% have no letter, iso9001 and 账龄 have."""
    return not word.isnumeric() and any(map(str.isalpha, word))
