"""An import from the dropped file to the rows, in a real browser: nobody reloads a page."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.files.made_up import REFUND_ROWS, REFUNDS
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.jobs import run_jobs


@pytest.fixture
def worker(shops: Database) -> Iterator[None]:
    """Jobs are done while the test looks on."""
    ended = Event()

    def work() -> None:
        while not ended.wait(0.2):
            run_jobs(shops)

    thread = Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_dropped_file_is_looked_at_tried_and_imported(
    shops: Database, worker: None, tmp_path: Path
) -> None:
    file = tmp_path / "退款.csv"
    file.write_text(f"{REFUNDS}\n{REFUND_ROWS}坏,1\n", "utf-8")
    with site() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        enter(page, address, "主管阿兰", PASSWORD)
        page.get_by_role("link", name="导入文件").click()
        page.get_by_label("店铺").select_option("tea")
        dropped(page, file)
        expect(page.get_by_text("退款.csv")).to_be_visible()
        page.get_by_role("button", name="上传并查看").click()
        expect(page.get_by_text("共 4 行：可用 3 行（其中重复 0 行），坏行 1 行。")).to_be_visible(
            timeout=30_000
        )
        page.get_by_role("button", name="先按规则试算，不导入").click()
        expect(page.get_by_role("heading", name="规则会怎么说")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="导入 3 行").click()
        expect(page.get_by_text("4 行 = 新增 3 + 更新 0 + 不变 0 + 拒收 1。")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name="任务").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="导出 CSV").click()
        assert download.value.suggested_filename.endswith(".csv")
        assert wrong == []


def dropped(page: Page, file: Path) -> None:
    """As if the file had been dragged onto the form."""
    transfer = page.evaluate_handle(
        "([name, text]) => { const held = new DataTransfer(); held.items.add(new File([text], name)); return held; }",
        [file.name, file.read_text("utf-8")],
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})
