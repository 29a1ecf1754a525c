"""All pages of the desk, on one blueprint."""

from __future__ import annotations

from xinheng.desk import (
    audit_pages,
    check_counts,
    content_pages,
    export_pages,
    lead_deeds,
    lead_page,
    lists,
    notice_pages,
    people_deeds,
    people_pages,
    quarantine_pages,
    request_deeds,
    request_pages,
    saved_views,
    today,
)
from xinheng.desk.frame import blueprint

__all__ = [
    "audit_pages",
    "blueprint",
    "check_counts",
    "content_pages",
    "export_pages",
    "lead_deeds",
    "lead_page",
    "lists",
    "notice_pages",
    "people_deeds",
    "people_pages",
    "quarantine_pages",
    "request_deeds",
    "request_pages",
    "saved_views",
    "today",
]
