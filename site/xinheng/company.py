"""The company's own facts, from content/site.toml: what stands in the footer, the notice and the structured data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from xinheng.documents import read_toml, validated


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Figure(_Facts):
    """One value on the home page's beam of days: average collection period, in days."""

    label: str = Field(min_length=1, max_length=12)
    days: float = Field(ge=1, le=119)


class HomeFacts(_Facts):
    """The home page's statement and the figures under it, with their source."""

    statement: tuple[str, ...] = Field(min_length=1, max_length=3)
    question: str = Field(min_length=1)
    then: Figure
    now: Figure
    source: str = Field(min_length=1)


class Service(_Facts):
    """One thing the company does, in plain words."""

    when: str = Field(min_length=1)
    what: str = Field(min_length=1)


class Company(_Facts):
    """Names, addresses and promises. `sample` is true for the invented company that ships; production refuses it."""

    name: str = Field(min_length=1, max_length=12)
    tagline: str = Field(min_length=1, max_length=16)
    legal_name: str = Field(min_length=1)
    sample: bool = False
    address: str = Field(min_length=1)
    hotline: str = Field(pattern=r"^[0-9+\- ]{5,20}$")
    hours: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    credit_code: str = Field(min_length=1)
    icp: str = ""
    police_number: str = ""
    police_url: str = ""
    licence: Literal["credit_mgmt_only", "insurance_intermediary", "insurer", "entrusted_platform"] = (
        "credit_mgmt_only"
    )
    retention_days: int = Field(ge=30, le=1095)
    description: str = Field(min_length=20, max_length=100)
    home: HomeFacts
    services: tuple[Service, ...] = Field(min_length=1, max_length=6)
    services_intro: str = Field(min_length=1)
    services_not: str = Field(min_length=1)


def load_company(content: Path) -> Company:
    """Read content/site.toml. Raises BadDocument."""
    file = content / "site.toml"
    return validated(Company, read_toml(file), file)
