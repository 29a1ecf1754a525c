"""All pages of the health check, on one blueprint."""

from __future__ import annotations

from xinheng.health_check import draft_views, question_views, result_views
from xinheng.health_check.views import blueprint

__all__ = ["blueprint", "draft_views", "question_views", "result_views"]
