"""What an administrator can set, and what a wrong setting says."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from xinheng.app import create_app
from xinheng.settings import MailServer, SettingError, Settings

MAIL = {"XINHENG_MAIL_FROM": "site@xinheng.example", "XINHENG_MAIL_TO": "a@xinheng.example"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("content", "forms", "static", "translations", "elsewhere"):
        (tmp_path / name).mkdir()
    return tmp_path


def read(root: Path, **environ: str) -> Settings:
    return Settings.from_env(environ, root)


def test_without_any_setting_it_is_one_machine_for_itself(root: Path) -> None:
    found = read(root)
    assert (found.host, found.port, found.workers, found.proxies) == ("127.0.0.1", 8000, 2, 0)
    assert (found.origin, found.environment, found.secure) == ("http://127.0.0.1:8000", "development", False)
    assert (found.data, found.content) == (root / "var", root / "content")
    assert (found.mail_server, found.mail_to) == (None, ())


def test_an_empty_variable_is_one_that_is_not_set(root: Path) -> None:
    names = ("ORIGIN", "PORT", "HOST", "WORKERS", "PROXIES", "DATA", "CONTENT", "SMTP", "MAIL_TO")
    empty = {f"XINHENG_{name}": "" for name in names} | {"DATABASE_URL": ""}
    assert read(root, **empty) == read(root)


def test_settings_cannot_be_changed_while_the_site_runs(root: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        read(root).port = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", ["CONTENT", "FORMS", "STATIC", "TRANSLATIONS"])
def test_each_data_folder_can_lie_elsewhere_but_must_be_there(root: Path, name: str) -> None:
    found = read(root, **{f"XINHENG_{name}": str(root / "elsewhere")})
    assert getattr(found, name.lower()) == root / "elsewhere"
    with pytest.raises(SettingError, match=f"XINHENG_{name}.*nowhere"):
        read(root, **{f"XINHENG_{name}": str(root / "nowhere")})


def test_the_folder_of_databases_and_keys_can_lie_elsewhere(root: Path) -> None:
    assert read(root, XINHENG_DATA=str(root / "new" / "data")).data == root / "new" / "data"


def test_the_spool_lies_with_the_data_unless_another_volume_is_named(root: Path) -> None:
    assert read(root, XINHENG_DATA=str(root / "new")).spool == root / "new" / "spool"
    assert read(root, XINHENG_SPOOL=str(root / "other" / "spool")).spool == root / "other" / "spool"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"XINHENG_PORT": "0"}, "XINHENG_PORT='0'.*1 到 65535"),
        ({"XINHENG_PORT": "65536"}, "XINHENG_PORT"),
        ({"XINHENG_PORT": "８０００"}, "XINHENG_PORT"),
        ({"XINHENG_PORT": "80a"}, "XINHENG_PORT"),
        ({"XINHENG_PORT": "-1"}, "XINHENG_PORT"),
        ({"XINHENG_WORKERS": "0"}, "XINHENG_WORKERS.*1 到 64"),
        ({"XINHENG_WORKERS": "two"}, "XINHENG_WORKERS"),
        ({"XINHENG_EXPORT_ROWS": "0"}, "XINHENG_EXPORT_ROWS.*1 到 100000"),
        ({"XINHENG_EXPORT_ROWS": "100001"}, "XINHENG_EXPORT_ROWS"),
        ({"XINHENG_PROXIES": "6"}, "XINHENG_PROXIES.*0 到 5"),
        ({"XINHENG_ENV": "prod"}, "XINHENG_ENV='prod'.*development 或 production"),
        ({"XINHENG_ENV": "production"}, "XINHENG_ORIGIN.*正式环境必须写明"),
        ({"XINHENG_HSTS": "on"}, "XINHENG_HSTS='on'.*host、subdomains 或 preload"),
        ({"XINHENG_ORIGIN": "www.xinheng.example"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "ftp://xinheng.example"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://xinheng.example/site"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://xinheng.example?a=1"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://xinheng.example#top"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://me:secret@xinheng.example"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://xinheng.example:abc"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://xinheng.example:99999"}, "XINHENG_ORIGIN"),
        ({"XINHENG_ORIGIN": "https://[::1"}, "XINHENG_ORIGIN"),
        ({"XINHENG_SMTP": "smtp://mail.example"}, "XINHENG_MAIL_FROM.*XINHENG_MAIL_TO"),
        ({"XINHENG_SMTP": "smtp://mail.example", "XINHENG_MAIL_TO": "a@b.example"}, "XINHENG_MAIL_FROM"),
        ({"XINHENG_SMTP": "http://mail.example", **MAIL}, "XINHENG_SMTP"),
        ({"XINHENG_SMTP": "mail.example", **MAIL}, "XINHENG_SMTP"),
        ({"XINHENG_SMTP": "smtp://mail.example:abc", **MAIL}, "XINHENG_SMTP"),
        ({"XINHENG_MAIL_TO": "nobody"}, "XINHENG_MAIL_TO.*nobody.*英文逗号"),
        ({"XINHENG_MAIL_TO": "a@b.example，c@d.example e"}, "XINHENG_MAIL_TO"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    root: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingError, match=says):
        read(root, **environ)


@pytest.mark.parametrize(
    "smtp", ["smtp://me:S3cret@", "http://me:S3cret@mail.example", "smtp://me:S3cret@mail.example:abc"]
)
def test_a_wrong_mail_server_is_said_without_its_password(root: Path, smtp: str) -> None:
    with pytest.raises(SettingError) as raised:
        read(root, XINHENG_SMTP=smtp, **MAIL)
    assert "S3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://www.xinheng.example", "https://www.xinheng.example"),
        ("https://www.xinheng.example/", "https://www.xinheng.example"),
        ("https://www.xinheng.example:8443", "https://www.xinheng.example:8443"),
        ("https://WWW.Xinheng.Example", "https://www.xinheng.example"),
        ("HTTPS://www.xinheng.example", "https://www.xinheng.example"),
        ("https://www.xinheng.example:443", "https://www.xinheng.example"),
        ("http://www.xinheng.example:80", "http://www.xinheng.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_origin_is_kept_as_browsers_send_it(root: Path, written: str, sent: str) -> None:
    assert read(root, XINHENG_ORIGIN=written).origin == sent


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("192.168.1.5", "http://192.168.1.5:8000"),
    ],
)
def test_without_an_origin_it_is_the_address_served(root: Path, host: str, origin: str) -> None:
    found = read(root, XINHENG_HOST=host)
    assert found.origin == origin
    assert found.origins[0] == origin


def test_outside_production_forms_may_come_from_every_loopback_name(root: Path) -> None:
    found = read(root, XINHENG_PORT="8123")
    assert set(found.origins) == {f"http://{name}:8123" for name in ("127.0.0.1", "localhost", "[::1]")}
    assert found.trusted_hosts == ["127.0.0.1", "[::1]", "localhost"]


def test_in_production_only_the_public_origin_counts(root: Path) -> None:
    found = read(root, XINHENG_ENV="production", XINHENG_ORIGIN="https://www.xinheng.example")
    assert found.production
    assert found.secure
    assert found.origins == ("https://www.xinheng.example",)
    assert found.trusted_hosts == ["www.xinheng.example"]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25, False, "", "")),
        ("smtp://mail.example:587", MailServer("mail.example", 587, False, "", "")),
        ("smtps://mail.example", MailServer("mail.example", 465, True, "", "")),
        ("smtps://me%40x.example:p%2Fw%3A@mail.example", MailServer("mail.example", 465, True, "me@x.example", "p/w:")),
    ],
)  # fmt: skip
def test_a_mail_server_is_read_from_its_address(root: Path, written: str, read_as: MailServer) -> None:
    assert read(root, XINHENG_SMTP=written, **MAIL).mail_server == read_as


def test_several_addresses_are_told(root: Path) -> None:
    found = read(root, XINHENG_MAIL_TO="a@x.example, 客服 <b@x.example>,")
    assert found.mail_to == ("a@x.example", "客服 <b@x.example>")


def test_a_password_is_not_shown_when_settings_are_printed(root: Path) -> None:
    found = read(root, XINHENG_SMTP="smtps://me:S3cret@mail.example", **MAIL)
    assert found.mail_server is not None
    assert found.mail_server.password == "S3cret"
    assert "S3cret" not in repr(found)
    assert "S3cret" not in repr(replace(found.mail_server, port=1))


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgresql://xinheng@db.example/xinheng", "postgresql+psycopg://xinheng@db.example/xinheng"),
        ("postgresql+psycopg://me:p%40w@10.0.0.1:5433/site", "postgresql+psycopg://me:p%40w@10.0.0.1:5433/site"),
        ("postgresql://me@/site?host=/run/postgresql", "postgresql+psycopg://me@/site?host=%2Frun%2Fpostgresql"),
        ("postgresql://me@db.example/site?sslmode=verify-full", "postgresql+psycopg://me@db.example/site?sslmode=verify-full"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_database_is_read_from_its_address(root: Path, written: str, used: str) -> None:
    assert read(root, DATABASE_URL=written).database_url == used


@pytest.mark.parametrize(
    "written",
    [
        "mysql://me:S3cret@db.example/site",
        "postgres://me:S3cret@db.example/site",
        "postgresql+asyncpg://me:S3cret@db.example/site",
        "sqlite:///var/leads.db",
        "postgresql://me:S3cret@db.example",
        "postgresql://me:S3cret@db.example/",
        "postgresql://me:S3cret@db.example:abc/site",
        "me:S3cret@db.example/site",
        "S3cret",
    ],
)
def test_a_wrong_database_is_named_with_what_was_expected_and_without_its_password(
    root: Path, written: str
) -> None:
    with pytest.raises(SettingError, match=r"DATABASE_URL：应为 postgresql://.*SQLite") as raised:
        read(root, DATABASE_URL=written)
    assert "S3cret" not in str(raised.value)


def test_the_databases_password_is_not_shown_when_settings_are_printed(root: Path) -> None:
    found = read(root, DATABASE_URL="postgresql://me:S3cret@db.example/site")
    assert "S3cret" in found.database_url
    assert "S3cret" not in repr(found)


def test_production_refuses_the_sample_company(settings: Settings) -> None:
    production = replace(settings, environment="production", origin="https://www.xinheng.example")
    with pytest.raises(SettingError, match=r"site\.toml.*sample"):
        create_app(production)


def test_only_settings_reads_the_environment() -> None:
    package = Path(__file__).parent.parent / "site" / "xinheng"
    readers = [
        file.name
        for file in package.rglob("*.py")
        if "os.environ" in file.read_text(encoding="utf-8") or "getenv" in file.read_text(encoding="utf-8")
    ]
    assert sorted(readers) == ["command_folder.py", "postgres.py"], (
        "commands hand the environment to Settings, and to PostgreSQL's own programs; nobody else reads it"
    )
