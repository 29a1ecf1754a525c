"""Pages of articles: what a reader, a search engine and a cache get."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import brotli
import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import CHROME, ORIGIN, ROOT, CheckingClient, write_article
from werkzeug.test import TestResponse

from xinheng.app import create_app
from xinheng.articles.library import Library
from xinheng.settings import Settings

SLUG = "ageing-report"
ARTICLES = sorted(file.stem for file in (ROOT / "content" / "articles").glob("*.md"))
PAGES = sorted(file.stem for file in (ROOT / "content" / "pages").glob("*.md"))
PUBLIC = [
    "/",
    "/articles/",
    "/articles/?page=2",
    f"/articles/{SLUG}",
    "/categories/receivables",
    "/search",
    "/search?q=坏账",
    "/favourites",
    "/consultation",
    "/about",
    "/feed.xml",
    "/sitemap.xml",
    "/robots.txt",
    "/.well-known/security.txt",
]
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    return shipped_app


@pytest.fixture
def held(shipped_app: Flask) -> Library:
    found: Library = shipped_app.extensions["xinheng.library"].current()
    return found


@pytest.fixture
def own_site(data_root: Path, settings: Settings) -> Iterator[Callable[[], FlaskClient]]:
    """Makes a site of the files as the test has written them."""
    made: list[Flask] = []

    def make() -> FlaskClient:
        made.append(create_app(settings))
        made[-1].test_client_class = CheckingClient
        return made[-1].test_client()

    yield make
    for site in made:
        site.extensions["xinheng.reads"].stop()
        site.extensions["xinheng.databases"].dispose()


def plain_client(app: Flask) -> FlaskClient:
    """A client that doesn't look into answers: they may be compressed."""
    return FlaskClient(app, app.response_class)


def parsed(response: TestResponse) -> Any:
    return html5lib.parse(response.get_data(as_text=True), namespaceHTMLElements=False)


def metas(page: Any) -> dict[str, str]:
    return {
        each.get("name") or each.get("property"): each.get("content")
        for each in page.iter("meta")
        if each.get("content")
    }


def canonical(page: Any) -> str:
    (link,) = [each for each in page.iter("link") if each.get("rel") == "canonical"]
    return str(link.get("href"))


def data(page: Any) -> list[dict[str, Any]]:
    return [
        json.loads("".join(each.itertext()))
        for each in page.iter("script")
        if each.get("type") == "application/ld+json"
    ]


def words(element: Any) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def by_class(page: Any, name: str) -> list[Any]:
    return [each for each in page.iter() if name in (each.get("class") or "").split()]


# --- every page ---


def test_every_article_page_and_category_of_the_site_is_a_sound_page(
    client: FlaskClient, held: Library
) -> None:
    assert len(held.articles) == len(ARTICLES) >= 8
    titles = set()
    addresses = [f"/articles/{slug}" for slug in ARTICLES] + [f"/{slug}" for slug in PAGES]
    addresses += [f"/categories/{slug}" for slug in held.counts()]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        page = parsed(response)
        assert canonical(page) == ORIGIN + address
        titles.add(page.findtext(".//title"))
        ids = [each.get("id") for each in page.iter() if each.get("id")]
        assert len(ids) == len(set(ids)), address
        if article := held.by_slug.get(address.removeprefix("/articles/")):
            numbers = range(1, len(article.sources) + 1)
            assert {f"{kind}-{number}" for kind in ("source", "cite") for number in numbers} <= set(ids)
        targets = {each.get("href")[1:] for each in page.iter("a") if each.get("href", "").startswith("#")}
        assert targets <= set(ids), address
    assert len(titles) == len(addresses), "no two pages have one title"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_page_may_be_kept_by_any_cache(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=600"
    assert response.headers["ETag"].startswith('W/"')


@pytest.mark.parametrize("address", PUBLIC)
def test_two_visitors_get_the_same_bytes_whatever_their_browser_and_cookies(
    client: FlaskClient, app: Flask, address: str
) -> None:
    one = client.get(
        address, headers={"User-Agent": CHROME, "Cookie": "session=abc; a=b", "Accept-Language": "en"}
    )
    other = app.test_client().get(
        address,
        headers={"User-Agent": "MicroMessenger/8.0", "Accept-Language": "zh-TW", "X-Forwarded-For": "8.8.8.8", "X-Device": "0" * 32, "Referer": "https://www.baidu.com/"},
    )  # fmt: skip
    assert one.data == other.data
    assert one.headers["ETag"] == other.headers["ETag"]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_a_browser_still_has_is_not_sent_again(app: Flask, address: str) -> None:
    for encoding in ("identity", "br", "gzip"):
        headers = {"Accept-Encoding": encoding}
        first = plain_client(app).get(address, headers=headers, base_url=ORIGIN)
        headers["If-None-Match"] = first.headers["ETag"]
        again = plain_client(app).get(address, headers=headers, base_url=ORIGIN)
        assert again.status_code == 304, encoding
        assert again.data == b""
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_compressed_answer_holds_the_same_page(client: FlaskClient, app: Flask, address: str) -> None:
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    for encoding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        packed = plain_client(app).get(address, headers={"Accept-Encoding": encoding}, base_url=ORIGIN)
        if packed.headers.get("Content-Encoding") is None:
            assert len(plain.data) < 500, "only what is tiny is sent as it is"
            continue
        assert packed.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert unpack(packed.data) == plain.data
        assert len(packed.data) < len(plain.data)


@pytest.mark.parametrize("address", PUBLIC)
def test_head_says_what_get_would(client: FlaskClient, address: str) -> None:
    got, head = client.get(address), client.head(address)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
        assert head.headers.get(name) == got.headers.get(name), name


@pytest.mark.parametrize(
    "query", ["utm_source=wechat", "from=timeline&isappinstalled=0", "page=&x=1", "ref=%3Cscript%3E"]
)
@pytest.mark.parametrize(
    "address", [f"/articles/{SLUG}", "/", "/consultation", "/about", "/categories/receivables"]
)
def test_marks_of_a_campaign_do_not_make_another_page(client: FlaskClient, address: str, query: str) -> None:
    if "page=" in query and "categories" in address:
        assert client.get(f"{address}?{query}").status_code == 404
        return
    response = client.get(f"{address}?{query}")
    assert canonical(parsed(response)) == ORIGIN + address
    assert response.data == client.get(address).data


# --- what is not there ---


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/articles/no-such",
        "/articles/Ageing-Report",
        "/articles/ageing-report/",
        "/articles/账龄",
        "/categories/no-such",
        "/categories/",
        "/articles/?page=1",
        "/articles/?page=0",
        "/articles/?page=02",
        "/articles/?page=999",
        "/articles/?page=two",
        "/articles/?page=" + "9" * 5000,
        "/categories/receivables?page=1",
        "/categories/receivables?page=99",
        "/about/",
        "/privacy.md",
        "/content/articles/ageing-report.md",
        "/wsgi.py",
        "/var/leads.db",
        "/.env",
        "/index.php",
        "/wp-login.php",
    ],
)
def test_an_unknown_address_is_a_helpful_page(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    text = response.get_data(as_text=True)
    assert "没有这个页面" in text
    assert 'role="search"' in text
    assert 'href="/categories/receivables"' in text
    assert "noindex" in text
    assert response.headers["Cache-Control"] == "no-store"


def test_the_address_that_was_asked_for_is_not_repeated_on_the_page(client: FlaskClient) -> None:
    text = client.get("/%3Cscript%3Ealert(1)%3C/script%3E-13800138000").get_data(as_text=True)
    assert "alert(1)" not in text
    assert "13800138000" not in text


def test_an_old_address_leads_to_the_new_one_for_good(
    data_root: Path, own_site: Callable[[], FlaskClient]
) -> None:
    file = write_article(data_root / "content", "dso-how-to")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("author:", "aliases: [dso, turnover]\nauthor:"), encoding="utf-8")
    client = own_site()
    for alias in ("dso", "turnover"):
        response = client.get(f"/articles/{alias}")
        assert (response.status_code, response.headers["Location"]) == (301, "/articles/dso-how-to")
    assert client.post("/articles/dso/reads").status_code == 404


def test_drafts_and_what_is_scheduled_are_nowhere(
    data_root: Path, own_site: Callable[[], FlaskClient]
) -> None:
    write_article(data_root / "content", "draft", title="草稿草稿", published="")
    write_article(data_root / "content", "later", title="将来将来", published="2099-01-01 08:00")
    client = own_site()
    for address in (
        "/",
        "/articles/",
        "/categories/receivables",
        "/feed.xml",
        "/sitemap.xml",
        "/search?q=草稿将来",
        "/nowhere",
        "/articles/ageing",
    ):
        text = client.get(address).get_data(as_text=True)
        for secret in ("草稿草稿", "将来将来", "/draft", "/later"):
            assert secret not in text, address
    for slug in ("draft", "later"):
        assert client.get(f"/articles/{slug}").status_code == 404
        assert client.get(f"/favourites?slugs={slug}").get_data(as_text=True).count("article-list") == 0
        assert client.get(f"/articles/read-counts?slugs={slug}").get_json() == {}


# --- lists ---


def test_the_list_has_every_article_once_over_its_pages(
    data_root: Path, own_site: Callable[[], FlaskClient]
) -> None:
    for number in range(50):
        write_article(
            data_root / "content",
            f"a{number}",
            title=f"第{number}篇",
            published=f"2026-03-04 {number // 60:02}:{number % 60:02}",
        )
    client = own_site()
    found: list[str] = []
    address: str | None = "/articles/"
    canonicals = []
    while address:
        page = parsed(client.get(address))
        canonicals.append(canonical(page))
        (listing,) = by_class(page, "article-list")
        found += [each.get("href") for heading in listing.iter("h2") for each in heading.iter("a")]
        following = [each.get("href") for each in page.iter("a") if each.get("rel") == "next"]
        address = following[0] if following else None
    assert len(found) == len(set(found)) == 52
    assert found[0] == "/articles/a49"
    assert canonicals == [f"{ORIGIN}/articles/{part}" for part in ("", "?page=2", "?page=3")]


def test_the_second_page_leads_back_to_the_first_by_its_one_address(client: FlaskClient) -> None:
    page = parsed(client.get("/articles/?page=2"))
    assert [each.get("href") for each in page.iter("a") if each.get("rel") == "prev"] == ["/articles/"]


def test_a_category_has_its_own_articles_only(client: FlaskClient, held: Library) -> None:
    for slug, total in held.counts().items():
        page = parsed(client.get(f"/categories/{slug}"))
        listing = by_class(page, "article-list")[0]
        linked = {each.get("href") for heading in listing.iter("h2") for each in heading.iter("a")}
        assert linked == {f"/articles/{article.slug}" for article in held.in_category(slug)}
        assert len(linked) == total


def test_the_home_page_leads_to_the_newest_to_every_category_and_to_the_form(
    client: FlaskClient, held: Library
) -> None:
    links = {each.get("href") for each in parsed(client.get("/")).iter("a")}
    assert {f"/articles/{article.slug}" for article in held.articles[:5]} <= links
    assert {f"/categories/{slug}" for slug in held.counts()} <= links
    assert {"/consultation", "/articles/", "/privacy", "/about", "/ai-statement", "/feed.xml"} <= links


def test_every_link_within_the_site_leads_somewhere(app: Flask) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        address = waiting.pop()
        response = plain_client(app).get(address, base_url=ORIGIN)
        assert response.status_code == 200, address
        if response.mimetype != "text/html":
            continue
        text = re.sub(r'<form method="post"[^>]*', "", response.get_data(as_text=True))
        for link in re.findall(r'(?:href|src|action)="(/[^"#]*)', text):
            target = link.replace("&amp;", "&")
            if target not in seen and not target.startswith("/static/"):
                seen.add(target)
                waiting.append(target)
    assert {f"/articles/{slug}" for slug in ARTICLES} <= seen


def test_every_static_file_that_a_page_asks_for_is_there(client: FlaskClient) -> None:
    addresses = set()
    for page in (
        "/",
        "/articles/",
        f"/articles/{SLUG}",
        "/consultation",
        "/nowhere",
        "/search",
        "/favourites",
        "/about",
    ):
        text = client.get(page).get_data(as_text=True)
        addresses |= set(re.findall(rf'(?:href|src|content)="(?:{re.escape(ORIGIN)})?(/static/[^"]+)"', text))
    assert len(addresses) > 10
    for address in addresses:
        assert client.get(address, buffered=True).status_code == 200, address


# --- an article ---


@pytest.fixture
def page(client: FlaskClient) -> Any:
    return parsed(client.get(f"/articles/{SLUG}"))


def test_structured_data_says_what_the_page_says(page: Any, held: Library) -> None:
    article = held.by_slug[SLUG]
    found = {each["@type"]: each for each in data(page) if "@type" in each}
    told = found["Article"]
    assert told["headline"] == words(next(page.iter("h1"))) == article.title
    assert told["description"] == metas(page)["description"] == article.summary
    assert told["mainEntityOfPage"] == canonical(page)
    assert told["datePublished"] == metas(page)["article:published_time"]
    assert told["dateModified"] == metas(page)["article:modified_time"]
    shown = [each.get("datetime") for each in by_class(page, "byline")[0].iter("time")]
    assert shown[0] == told["datePublished"]
    assert shown[-1] == told["dateModified"]
    assert datetime.fromisoformat(told["datePublished"]) == article.published
    assert told["author"]["name"] in words(by_class(page, "byline")[0])
    assert told["publisher"]["name"] in words(by_class(page, "footer")[0])
    assert told["image"] == [metas(page)["og:image"]]
    trail = found["BreadcrumbList"]["itemListElement"]
    assert [each["position"] for each in trail] == [1, 2, 3]
    shown_trail = [words(each) for each in by_class(page, "crumbs")[0].iter("li")]
    assert [each["name"] for each in trail][: len(shown_trail)] == shown_trail
    assert trail[-1]["name"] == article.title


def test_baidus_time_block_has_its_form(page: Any, held: Library) -> None:
    (block,) = [each for each in data(page) if "cambrian" in str(each["@context"])]
    article = held.by_slug[SLUG]
    assert (block["@id"], block["title"]) == (canonical(page), article.title)
    for key, moment in (("pubDate", article.published), ("upDate", article.updated)):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", block[key])
        assert block[key][:16] == f"{moment:%Y-%m-%dT%H:%M}"
    assert 1 <= len(block["images"]) <= 3


def test_the_ai_mark_has_its_keys_in_their_order(page: Any, held: Library) -> None:
    mark = json.loads(metas(page)["AIGC"])
    assert list(mark) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert mark["Label"] == "1"
    assert mark["PropagateID"] == f"{SLUG}@{held.by_slug[SLUG].version}"


def test_social_networks_get_title_text_and_picture(page: Any, held: Library) -> None:
    found = metas(page)
    assert found["og:title"] == held.by_slug[SLUG].title
    assert found["og:url"] == canonical(page)
    assert found["og:type"] == "article"
    assert found["og:image"].startswith(ORIGIN)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"ai": "generated"}, "本文由人工智能（AI）生成，尚未经人工审核。"),
        ({"ai": "assisted"}, "本文含人工智能（AI）生成内容，尚未经人工审核。"),
        (
            {"ai": "generated\nreviewed_by: 王律师\nreviewed_at: 2026-03-05"},
            "本文由人工智能（AI）生成，经王律师于2026年3月5日审核。",
        ),
        ({"ai": "none"}, None),
    ],
)
def test_the_ai_label_tells_the_truth_at_the_start_at_the_end_and_in_the_feed(
    data_root: Path, own_site: Callable[[], FlaskClient], keys: dict[str, str], says: str | None
) -> None:
    write_article(data_root / "content", "subject", **keys)
    client = own_site()
    page = parsed(client.get("/articles/subject"))
    labels = [words(each) for each in by_class(page, "ai-label")]
    entries = ElementTree.fromstring(client.get("/feed.xml").data).findall(f"{ATOM}entry")  # noqa: S314
    (content,) = [
        each.findtext(f"{ATOM}content") for each in entries if each.findtext(f"{ATOM}title") == "题目subject"
    ]
    assert content is not None
    if says is None:
        assert labels == []
        assert "AIGC" not in metas(page)
        assert "人工智能" not in content
        return
    assert len(labels) == 2
    assert all(label.startswith(says) for label in labels)
    assert says.partition("，")[0] in content
    assert ("尚未经人工审核" in content) is ("尚未经人工审核" in says)
    text = client.get("/articles/subject").get_data(as_text=True)
    assert text.index("ai-label") < text.index("货发出去以后") < text.rindex("ai-label")


def test_an_article_has_all_that_readers_look_for(page: Any, held: Library) -> None:
    article = held.by_slug[SLUG]
    for name in ("byline", "toc", "keypoints", "text", "sources", "tags", "consult", "phone-bar"):
        assert len(by_class(page, name)) == 1, name
    contents = [words(each) for each in by_class(page, "toc")[0].iter("a")][
        :-1
    ]  # the last leads to the check
    assert contents == [*(heading.text for heading in article.headings), "资料来源"]
    assert len(list(by_class(page, "sources")[0].iter("li"))) == len(article.sources)
    related = [
        each.get("href")
        for each in by_class(page, "after")[0].iter("a")
        if each.get("href", "").startswith("/articles/")
    ]
    assert len(related) == 6
    assert f"/articles/{SLUG}" not in related
    assert len(list(page.iter("details"))) == len(article.questions) >= 3


def test_excerpts_have_at_most_a_hundred_characters(held: Library) -> None:
    for article in held.articles:
        assert 0 < len(article.summary) <= 100


# --- search ---


def test_search_answers_without_script_and_marks_the_words(client: FlaskClient) -> None:
    response = client.get("/search?q=坏账")
    page = parsed(response)
    assert "坏账" in {words(each) for each in page.iter("mark")}
    assert re.search(r"找到\d+篇", response.get_data(as_text=True))
    assert next(each for each in page.iter("input") if each.get("id") == "q").get("value") == "坏账"


@pytest.mark.parametrize(
    "query", ["熊猫竹子", "zzzz", "😀", '"', "<script>alert(1)</script>", "a" * 1000, "%00", "坏账%0d%0a"]
)
def test_search_never_fails_and_shows_no_query_as_code(client: FlaskClient, query: str) -> None:
    response = client.get("/search", query_string={"q": query} if "%" not in query else f"q={query}")
    assert response.status_code == 200
    assert "<script>alert" not in response.get_data(as_text=True)
    assert "noindex" in response.get_data(as_text=True)


def test_an_empty_result_offers_a_way_on(client: FlaskClient) -> None:
    text = client.get("/search?q=熊猫竹子").get_data(as_text=True)
    assert "没有找到" in text
    assert 'href="/categories/receivables"' in text


# --- machines ---


def test_the_sitemap_has_every_public_page_once(client: FlaskClient, held: Library) -> None:
    tree = ElementTree.fromstring(client.get("/sitemap.xml").data)  # noqa: S314 (our own answer)
    found = [each.findtext(f"{SITEMAP}loc") for each in tree.findall(f"{SITEMAP}url")]
    expected = [f"/articles/{slug}" for slug in ARTICLES] + [f"/{slug}" for slug in PAGES]
    expected += [f"/categories/{slug}" for slug in held.counts()]
    expected += [
        "/",
        "/articles/",
        "/consultation",
        "/health-check",
        "/health-check/method",
        "/privacy/request",
    ]
    assert sorted(map(str, found)) == sorted(ORIGIN + address for address in expected)
    for url in tree.findall(f"{SITEMAP}url"):
        if moment := url.findtext(f"{SITEMAP}lastmod"):
            assert datetime.fromisoformat(moment).utcoffset() is not None


def test_the_feed_has_the_newest_with_their_full_texts(client: FlaskClient, held: Library) -> None:
    tree = ElementTree.fromstring(client.get("/feed.xml").data)  # noqa: S314 (our own answer)
    entries = tree.findall(f"{ATOM}entry")
    assert [each.findtext(f"{ATOM}title") for each in entries] == [each.title for each in held.articles[:30]]
    ids = [each.findtext(f"{ATOM}id") for each in entries]
    assert len(set(ids)) == len(ids)
    assert all(str(each).startswith("urn:uuid:") for each in ids)
    for entry, article in zip(entries, held.articles[:30], strict=True):
        content = entry.findtext(f"{ATOM}content") or ""
        html = str(held.html(article))
        assert content.endswith(html.replace('href="/', f'href="{ORIGIN}/'))
        assert 'href="/' not in content, "a reader elsewhere needs whole addresses"
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "") == article.updated
        assert entry.find(f"{ATOM}link").get("href") == f"{ORIGIN}/articles/{article.slug}"  # type: ignore[union-attr]
    assert tree.findtext(f"{ATOM}updated") == held.updated.isoformat()


def test_robots_are_told_where_the_sitemap_is_and_what_is_not_for_them(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").get_data(as_text=True).splitlines()
    assert f"Sitemap: {ORIGIN}/sitemap.xml" in lines
    assert "Disallow: /" not in lines


def test_a_title_with_every_kind_of_sign_breaks_no_page_and_no_feed(
    data_root: Path, own_site: Callable[[], FlaskClient]
) -> None:
    title = "\"A&B\" <b>'坏账'</b> </script> {{ 7*7 }} %"
    file = write_article(data_root / "content", "signs", title="TITLE", summary="SUMMARY")
    quoted = json.dumps(title, ensure_ascii=False)
    text = file.read_text(encoding="utf-8").replace("TITLE", quoted).replace("SUMMARY", quoted)
    file.write_text(text, encoding="utf-8")
    client = own_site()
    page = parsed(client.get("/articles/signs"))
    assert words(next(page.iter("h1"))) == title
    assert data(page)[0]["headline"] == title
    assert metas(page)["description"] == title
    for address in ("/", "/articles/", "/categories/receivables", "/search?q=坏账", "/articles/ageing"):
        assert client.get(address).status_code == 200
    tree = ElementTree.fromstring(client.get("/feed.xml").data)  # noqa: S314 (our own answer)
    assert title in [each.findtext(f"{ATOM}title") for each in tree.findall(f"{ATOM}entry")]


def test_a_company_with_a_police_record_number_has_all_its_pages(
    data_root: Path, own_site: Callable[[], FlaskClient]
) -> None:
    file = data_root / "content" / "site.toml"
    text = file.read_text(encoding="utf-8").replace(
        'police_number = ""', 'police_number = "沪公网安备31000000000000号"'
    )
    file.write_text(
        text.replace('police_url = ""', 'police_url = "https://beian.mps.gov.cn/"'), encoding="utf-8"
    )
    response = own_site().get("/")
    assert response.status_code == 200
    assert "沪公网安备31000000000000号" in response.get_data(as_text=True)


def test_a_site_without_articles_still_answers(data_root: Path, own_site: Callable[[], FlaskClient]) -> None:
    for file in (data_root / "content" / "articles").glob("*.md"):
        file.unlink()
    client = own_site()
    for address in (
        "/",
        "/articles/",
        "/search?q=坏账",
        "/feed.xml",
        "/sitemap.xml",
        "/consultation",
        "/favourites",
    ):
        assert client.get(address).status_code == 200, address
    assert client.get("/nowhere").status_code == 404


def test_the_companys_facts_stand_in_its_pages(client: FlaskClient) -> None:
    text = client.get("/privacy").get_data(as_text=True)
    assert "信衡信用管理有限公司" in text
    assert "180天" in text
    assert not re.search(r"\{[a-z_]+\}", text)
