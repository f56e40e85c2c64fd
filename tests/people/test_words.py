"""Every sentence of the pages exists in English, and the compiled catalog is the written one."""

import re
import string

from tests.people.catalog import MO, PO, compiled, entries, sentences


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
