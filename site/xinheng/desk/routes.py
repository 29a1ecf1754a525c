"""All pages of the desk, on one blueprint."""

from __future__ import annotations

from xinheng.desk import (
    attention,
    audit_pages,
    check_counts,
    content_pages,
    duty_pages,
    lead_deeds,
    lead_page,
    lists,
    merge_pages,
    notice_pages,
    people_deeds,
    people_pages,
    priority_page,
    quarantine_pages,
    request_deeds,
    request_pages,
    saved_views,
    split_pages,
    tie_deeds,
    today,
)
from xinheng.desk.frame import blueprint

__all__ = [
    "attention",
    "audit_pages",
    "blueprint",
    "check_counts",
    "content_pages",
    "duty_pages",
    "lead_deeds",
    "lead_page",
    "lists",
    "merge_pages",
    "notice_pages",
    "people_deeds",
    "people_pages",
    "priority_page",
    "quarantine_pages",
    "request_deeds",
    "request_pages",
    "saved_views",
    "split_pages",
    "tie_deeds",
    "today",
]
