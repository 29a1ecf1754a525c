"""Passwords of twelve and more characters that many people use, and the words such passwords are made of.

Written for this project from what people combine: keyboard walks, pinyin of usual phrases, lucky numbers, words of
sign-in pages. It is no copy of a leaked list; shorter ones need no list, because twelve characters are the least.
"""

from __future__ import annotations

WORDS = frozenset(
    """
    password passwort passw0rd passwd pass word admin administrator root user test guest login welcome hello secret
    letmein master dragon monkey football baseball sunshine princess superman batman trustno iloveyou loveyou love
    qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm azerty abc abcd abcde abcdef computer internet server system
    manager company office oracle mysql database default changeme temp windows google wechat weixin alipay taobao baidu
    woaini woaiwo aini wode mima denglu guanli guanliyuan yonghu huanying zhongguo china beijing shanghai shenzhen
    gongsi caiwu xiaoshou yewu dashi laoban nihao xiexie shengri kuaile zhangsan lisi wangwu laopo laogong baobao
    spring summer autumn winter january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday qaz wsx edc rfv tgb yhn
    密码 口令 管理员 用户 登录 欢迎 你好 我爱你 中国 公司 财务 销售 应收 账款 信用
    """.split()  # noqa: SIM905 (a hundred quoted words are harder to read)
)
"""What is left of a password without these words, digits and signs must still be something."""

WHOLE = frozenset(
    """
    1qaz2wsx3edc 1qaz2wsx3edc4rfv qazwsxedcrfv zaq12wsxcde3 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i q1w2e3r4t5y6
    qwer1234asdf asdf1234qwer 1234qwerasdf qwerasdfzxcv 123qweasdzxc zxcasdqwe123 a1b2c3d4e5f6 1a2b3c4d5e6f aa123456789a
    woaini1314520 woaini5201314 5201314woaini zhangwei1234 liuxing123456 correcthorsebatterystaple thequickbrownfox
    donttellanyone nopasswordhere ihavenopassword thisismypassword mypasswordis123 opensesameplease jesuschrist1
    startrek12345 harrypotter123 manchesterunited liverpoolfc1892 chelseafc1905 realmadrid1902 barcelona1899
    goodmorning123 happybirthday1 happynewyear2026 ilovemyfamily wobuzhidao123 wobuzhidaomima wangjimimale
    meiyoumima123 congmingdaxia zhihuishenghuo
    """.split()  # noqa: SIM905
)

WALKS = (
    "01234567890",
    "09876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiop",
    "poiuytrewq",
    "asdfghjkl",
    "lkjhgfdsa",
    "zxcvbnm",
    "mnbvcxz",
    "!@#$%^&*()",
)
"""Rows of the keyboard and of the alphabet, both ways."""
