"""Every sentence of the pages exists in English, and the compiled catalog is the written one."""

import re
import string
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.translation import gettext, override

from aftersale.people.words import tabs
from tests.conftest import Database
from tests.people.catalog import MO, PO, compiled, entries, sentences

SignIn = Callable[[str], Client]


def test_no_sentence_is_without_its_english() -> None:
    said, known = set(sentences()), entries(PO.read_text("utf-8"))
    translated = {key.split("\0")[0] for key in known} - {""}
    assert said - translated == set(), "run through these in django.po"
    assert translated - said == set(), "no page says these any more"
    assert [key for key, texts in known.items() if not all(texts)] == []


def test_translations_keep_the_placeholders() -> None:
    def holes(text: str) -> set[str]:
        braces = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        return set(re.findall(r"%\(\w+\)[sd]", text)) | braces

    for key, texts in entries(PO.read_text("utf-8")).items():
        for text in texts:
            assert key == "" or holes(text) == holes(key.split("\0")[0]), key


def test_the_compiled_catalog_is_the_written_one() -> None:
    assert MO.read_bytes() == compiled(PO.read_text("utf-8")), "run python -m tests.people.catalog"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_tab_of_the_queue_is_called_like_a_page(shops: Database, sign_in: SignIn, language: str) -> None:
    """工单 is a page; what is no work order stands under another name."""
    owner = sign_in("外人老吴")
    owner.cookies["django_language"] = language
    page = owner.get("/queue").content.decode()
    pages = set(re.findall(r'<span class="nav-link-title">([^<]+)</span>', page))
    with override(language):
        titles = set(tabs().values())
        assert {str(gettext("工单")), str(gettext("队列"))} <= pages
    assert all(title in page for title in titles)
    assert titles & pages == set()
