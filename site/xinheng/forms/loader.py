"""Read forms/consultation.toml, the company's facts filled in."""

from __future__ import annotations

from pathlib import Path

from xinheng.company import Company
from xinheng.documents import BadDocument, Fault, read_toml, validated
from xinheng.forms.definition import FormDeclaration, PublishedForm

CONSULTATION = "consultation.toml"


def load_consultation(forms: Path, company: Company) -> PublishedForm:
    """The form as visitors see it. Raises BadDocument.

    Its version hashes the words that are shown, so another company name or retention period is another version.
    """
    file = forms / CONSULTATION
    declared = validated(FormDeclaration, read_toml(file), file)
    if company.licence == "credit_mgmt_only" and (words := list(declared.unlicensed_words())):
        message = f"没有保险牌照（site.toml 的 licence），表单里不能写：{'、'.join(words)}"
        raise BadDocument([Fault(file, 0, "", message)])
    notice = declared.notice.replace("{legal_name}", company.legal_name).replace("{hotline}", company.hotline)
    return PublishedForm(
        declaration=declared,
        notice=notice.replace("{retention_days}", str(company.retention_days)),
        retention_days=company.retention_days,
    )
