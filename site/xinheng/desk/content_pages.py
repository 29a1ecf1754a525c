"""What editors look at: what isn't published yet, what is wrong in content/, and an article before its readers see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import abort, current_app, render_template, url_for
from markupsafe import Markup

from xinheng.articles.article import Article
from xinheng.articles.library import Library, library
from xinheng.articles.reading import CompiledDraft, article_files
from xinheng.articles.reads import read_counter, recent_reads
from xinheng.articles.unpublished import (
    Preview,
    article_file,
    content_faults,
    place_of,
    preview,
    unpublished_articles,
    with_preview_links,
)
from xinheng.desk.frame import blueprint, utc_now
from xinheng.desk.permission import requires
from xinheng.documents import BadDocument, Fault
from xinheng.staff.permissions import Permission

_LATEST = 20
_DAYS = 30


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault to show. `slug` is the article whose preview says more, or empty; `line` is 0 where nobody knows it."""

    file: str
    slug: str
    line: int
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How an article stands with readers. `live` is what they see of it now; `late` whether they should see another."""

    live: Article | None
    planned: datetime | None
    late: bool


@blueprint.get("/content")
@requires(Permission.CONTENT)
def content() -> str:
    """What isn't published, what is wrong, and how the latest articles are read."""
    held, folder = library(), _content_folder()
    faults = [*_rows(_faults(), folder), *_rule_rows()]
    return render_template(
        "desk/content.html",
        unpublished=unpublished_articles(folder, utc_now()),
        faults=faults,
        faulty={fault.slug for fault in faults},
        published=held.articles[:_LATEST],
        recent=recent_reads(_DAYS),
        days=_DAYS,
        reads=read_counter().totals(),
    )


def content_fault_count() -> int:
    """How many faults there are in content/ and forms/ as they are saved now."""
    return len(_faults()) + len(_rule_rows())


@blueprint.get("/content/<slug>", endpoint="preview")
@requires(Permission.CONTENT)
def preview_page(slug: str) -> str:
    """An article as its file is saved now; what is wrong in its place, if it can't be shown."""
    folder, now = _content_folder(), utc_now()
    file = article_file(folder, slug)
    if file is None:
        abort(404)
    try:
        return _article_page(preview(folder, file, now), folder, now)
    except BadDocument as bad:
        return render_template("desk/preview.html", slug=slug, faults=_rows(bad.faults, folder))
    except FileNotFoundError:  # gone since it was found
        abort(404)


def _article_page(shown: Preview, folder: Path, now: datetime) -> str:
    held = library()
    compiled = shown.draft.compiled
    unseen = {file.stem for file in article_files(folder)} - set(held.by_slug)
    html = with_preview_links(compiled.html, unseen, lambda slug: url_for("desk.preview", slug=slug))
    between = (fault for fault in _faults() if fault.file == compiled.file)
    return render_template(
        "desk/preview.html",
        slug=compiled.article.slug,
        article=compiled.article,
        html=Markup(html),  # noqa: S704 (made by markup.render)
        category=shown.category,
        author=shown.author,
        standing=_standing(shown.draft, held, now),
        faults=_rows(between, folder),
        reads=read_counter().totals(),
    )


def _faults() -> Sequence[Fault]:
    return content_faults(_content_folder(), _compiled_digest(library()))


def _standing(draft: CompiledDraft, held: Library, now: datetime) -> Standing:
    article = draft.compiled.article
    live = held.by_slug.get(article.slug)
    if draft.planned is None or draft.planned > now:
        return Standing(live, draft.planned, late=live is not None)
    return Standing(live, draft.planned, late=live is None or live.version != article.version)


def _rows(faults: Iterable[Fault], folder: Path) -> list[FaultRow]:
    articles = set(article_files(folder))
    return [
        FaultRow(
            place_of(fault, folder),
            fault.file.stem if fault.file in articles else "",
            fault.line,
            fault.key,
            fault.message,
        )
        for fault in faults
    ]


def _rule_rows() -> list[FaultRow]:
    """Of the form, the rules and what else is data beside the articles."""
    return [
        FaultRow(f"{each.file.parent.name}/{each.file.name}", "", each.line, each.key, each.message)
        for each in current_app.extensions["xinheng.saved_rules"].faults()
    ]


def _compiled_digest(held: Library) -> str:
    """The digest of the files that the library was compiled from: its index is named after it."""
    return held.index.file.stem.rpartition("-")[2]


def _content_folder() -> Path:
    folder: Path = current_app.extensions["xinheng.library"].content
    return folder
