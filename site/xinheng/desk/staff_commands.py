"""`xinheng staff …`: accounts of the desk. Ends with 0, 1 (refused or not found) or 2 (wrong use)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import click

from xinheng.command_folder import opened_leads
from xinheng.leads.handover import open_leads_of
from xinheng.settings import SHANGHAI
from xinheng.staff import clock
from xinheng.staff.accounts import Accounts, AlreadyMember, Ended, LastAdministrator, NoSuchMember, Printed
from xinheng.staff.models import User
from xinheng.staff.names import NotAnAddress
from xinheng.staff.people import Person, State, read_people
from xinheng.staff.permissions import ROLE_WORDS, Permission, RoleName, permissions_of

_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in RoleName]),
    help="角色，可以写几次：" + "，".join(f"{role.value} {ROLE_WORDS[role]}" for role in RoleName),
)


@click.group()
def staff() -> None:
    """工作台的账号。"""


@staff.command("add")
@click.argument("email")
@click.option("--name", required=True, help="显示的名字，例如 周敏")
@_ROLES
def add(email: str, name: str, roles: tuple[str, ...]) -> None:
    """添加一个账号，打印一次性密码。"""
    with _accounts() as accounts:
        _print(accounts.add(email, name, map(RoleName, roles)))


@staff.command("list")
def list_all() -> None:
    """列出所有账号：角色、两步验证、最近使用。"""
    with opened_leads() as (database, _keys), database.reading() as session:
        people = read_people(session, clock.now())
    for person in people:
        click.echo(_line(person))
    click.echo(f"共{len(people)}个账号" if people else "还没有账号")


@staff.command("reset")
@click.argument("email")
@click.option("--totp", is_flag=True, help="连同两步验证一起取消：下次登录要重新设置")
@click.option("--keep-password", is_flag=True, help="和 --totp 同用：密码不变，只取消两步验证")
def reset(email: str, totp: bool, keep_password: bool) -> None:
    """给一个账号新的一次性密码，它在各处的登录都退出。"""
    if keep_password and not totp:
        raise click.UsageError("--keep-password 要和 --totp 一起用")
    with _accounts() as accounts:
        printed = accounts.reset(email, password=not keep_password, second_factor=totp)
    if totp:
        click.echo("两步验证已取消，下次登录要重新设置；旧的恢复代码作废")
    if printed:
        _print(printed)
    click.echo("它在各处的登录都已退出")


@staff.command("roles")
@click.argument("email")
@_ROLES
def roles(email: str, roles: tuple[str, ...]) -> None:
    """把一个账号的角色换成给出的这些，它在各处的登录都退出。"""
    chosen = sorted({RoleName(role) for role in roles})
    with _accounts() as accounts:
        member = accounts.set_roles(email, chosen)
    click.echo(f"角色现在是：{'、'.join(ROLE_WORDS[role] for role in chosen)}；它在各处的登录都已退出")
    if Permission.LEADS not in permissions_of(chosen):
        _tell_what_is_left(member)


@staff.command("remove")
@click.argument("email")
def remove(email: str) -> None:
    """停用一个账号：不能再登录，做过的事还记在它名下。"""
    with _accounts() as accounts:
        member = accounts.remove(email)
    click.echo("账号已停用，它在各处的登录都已退出")
    _tell_what_is_left(member)


def _tell_what_is_left(member: User) -> None:
    """The leads that nobody works now, and where to hand them over."""
    with opened_leads() as (database, _keys), database.reading() as session:
        count = open_leads_of(session, member.id)
    if count:
        click.echo(f"{member.name}名下还有{count}条没有结束的线索，现在没有人跟进。")
        click.echo("请销售主管在工作台的“全部线索”里按负责人选出来，勾选后交给别人。")


def _print(printed: Printed) -> None:
    click.echo(f"邮箱：{printed.email}")
    click.echo(f"一次性密码：{printed.password}")
    click.echo("只显示这一次。请当面或用电话交给本人，登录后换成自己的密码。")


_STATE: Mapping[State, str] = {
    "one_time": "一次性密码未换",
    "reset": "等他用链接设新密码",
    "invited": "已邀请",
    "expired": "邀请过期了",
    "left": "已停用",
}


def _line(person: Person) -> str:
    member = person.member
    words = "、".join(ROLE_WORDS[RoleName(name)] for name in sorted(member.role_names)) or "没有角色"
    parts = [
        member.name,
        member.email,
        words,
        "两步验证：有" if member.second_factor else "两步验证：没有",
        f"最近使用：{_minute(member.last_seen_at)}",
    ]
    return "  ".join([*parts, *filter(None, [_STATE.get(person.state)])])


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment else "从未"


@contextmanager
def _accounts() -> Iterator[Accounts]:
    """The accounts of the site in this folder; what can't be done is said, and ends with 1."""
    try:
        with opened_leads() as (database, keys):
            yield Accounts(database, keys)
    except NoSuchMember as fault:
        raise _Stopped(f"没有这个账号：{fault}") from None
    except AlreadyMember as fault:
        raise _Stopped(f"已经有这个账号：{fault}") from None
    except Ended as fault:
        raise _Stopped(f"{fault} 已停用；人回来了就用 xinheng staff add 再开一次") from None
    except NotAnAddress as fault:
        raise _Stopped(f"这不像邮箱地址：{fault}") from None
    except LastAdministrator:
        raise _Stopped("这是最后一个管理员：请先让别人也当管理员") from None


class _Stopped(click.ClickException):
    """What can't be done, in a sentence without the word Error."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)
