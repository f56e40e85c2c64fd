"""Files are chosen in the page's own words, by keyboard too, with scripts and without."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.catalog import ROOT
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id

CASE = case_id(1, 2)
# The browser's own dialog does not always come up on a busy machine; what opens it does.
PRESSED = """document.getElementById("file").addEventListener("click", (event) => {
  window.pressed = event.isTrusted; event.preventDefault(); }, {once: true})"""


def test_every_file_is_chosen_through_the_one_partial() -> None:
    asking = [path for path in ROOT.rglob("templates/**/*.html") if 'type="file"' in path.read_text("utf-8")]
    assert [path.name for path in asking] == ["_pick.html"]


def english(page: Page, address: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": address}])


def test_what_was_chosen_stands_beside_the_button(shops: Database, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("第一.csv", "second.csv")]
    for file in files:
        file.write_text("a,b\n1,2\n", "utf-8")
    with site() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        enter(page, address, "主管阿兰", PASSWORD)
        page.goto(f"{address}/files")
        names = page.locator("#file-names")
        expect(names).to_have_text("还没有选")
        outline = "getComputedStyle(document.querySelector('label[for=file]')).outlineStyle"
        assert page.evaluate(outline) == "none"
        page.get_by_label("店铺").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "file"
        assert page.evaluate(outline) == "solid"
        page.evaluate(PRESSED)
        page.keyboard.press("Space")
        page.wait_for_function("window.pressed")
        page.locator("#file").set_input_files(files[0])
        expect(names).to_have_text("第一.csv")
        with page.expect_file_chooser() as chooser:
            page.get_by_text("选文件", exact=True).click()
        chooser.value.set_files(files[1])
        expect(names).to_have_text("second.csv")
        english(page, address)
        page.goto(f"{address}/case/tea/{CASE}#evidence")
        page.get_by_text("Upload evidence").click()
        expect(page.locator("#evidence-file-names")).to_have_text("Nothing chosen yet")
        page.get_by_label("Choose files").set_input_files([str(file) for file in files])
        expect(page.locator("#evidence-file-names")).to_have_text("第一.csv, second.csv")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_without_scripts_the_button_is_ours_and_the_file_goes(
    shops: Database, tmp_path: Path, language: str
) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("a,b\n1,2\n", "utf-8")
    with site() as address, chromium() as browser:
        page = browser.new_page(java_script_enabled=False)
        enter(page, address, "主管阿兰", PASSWORD)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": address}])
        page.goto(f"{address}/files")
        expect(page.locator("#file-names")).to_be_hidden()
        expect(page.locator("#file")).to_have_css("opacity", "1")
        expect(page.locator("#file")).to_have_css("color", "rgba(0, 0, 0, 0)")
        with page.expect_file_chooser() as chooser:
            page.get_by_text({"en": "Choose a file", "zh-hans": "选文件"}[language], exact=True).click()
        chooser.value.set_files(file)
        expect(page.locator("#file")).not_to_have_css("color", "rgba(0, 0, 0, 0)")
        page.get_by_label({"en": "Shop", "zh-hans": "店铺"}[language]).select_option("tea")
        page.locator(".drop .btn-primary").click()
        expect(page.get_by_role("heading", name="plain.csv", exact=True)).to_be_visible()
