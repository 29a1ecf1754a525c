"""What search engines read of an article: schema.org data that says the same as the page."""

from __future__ import annotations

from typing import Any

from xinheng.articles.article import Article, Author
from xinheng.company import Company
from xinheng.filters import machine_time


def article_data(
    article: Article, author: Author, company: Company, url: str, image: str, origin: str
) -> dict[str, Any]:
    """schema.org Article; times carry their zone and equal those on the page."""
    return {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": article.title,
        "description": article.summary,
        "image": [image],
        "datePublished": machine_time(article.published),
        "dateModified": machine_time(article.updated),
        "author": {"@type": "Organization", "name": author.name, "url": f"{origin}/about"},
        "publisher": {"@type": "Organization", "name": company.legal_name, "url": f"{origin}/"},
        "mainEntityOfPage": url,
        "inLanguage": "zh-Hans",
        "wordCount": article.characters,
        "keywords": list(article.tags),
    }
