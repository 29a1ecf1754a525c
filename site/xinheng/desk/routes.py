"""All pages of the desk, on one blueprint."""

from __future__ import annotations

from xinheng.desk import (
    attention,
    audit_pages,
    check_counts,
    content_pages,
    lead_deeds,
    lead_page,
    lists,
    notice_pages,
    quarantine_pages,
    request_deeds,
    request_pages,
    saved_views,
    today,
)
from xinheng.desk.frame import blueprint

__all__ = [
    "attention",
    "audit_pages",
    "blueprint",
    "check_counts",
    "content_pages",
    "lead_deeds",
    "lead_page",
    "lists",
    "notice_pages",
    "quarantine_pages",
    "request_deeds",
    "request_pages",
    "saved_views",
    "today",
]
