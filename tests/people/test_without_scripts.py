"""What a browser that runs no script can still do: every filter opens, every page is reached."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD


@pytest.fixture(scope="module")
def still(shops: Database) -> Iterator[Page]:
    """主管阿兰 with a browser that runs no script."""
    with site() as address, chromium() as browser:
        page = browser.new_context(
            base_url=address, java_script_enabled=False, viewport={"width": 390, "height": 844}
        ).new_page()
        enter(page, address, "主管阿兰", PASSWORD)
        yield page


def test_the_filters_of_the_queue_open_without_scripts(still: Page) -> None:
    still.goto("/queue")
    chip = still.locator("details.dropdown", has=still.get_by_text("原因", exact=True))
    choice = chip.get_by_role("link", name="质量问题")
    expect(choice).to_be_hidden()
    chip.locator("summary").click()
    expect(choice).to_be_visible()
    box = choice.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    choice.click()
    still.wait_for_url("**/queue?reason=quality")
    assert set(re.findall("质量问题", still.locator("#rows").inner_text())) == {"质量问题"}
    still.locator("details.dropdown[open]").wait_for(state="detached")


def test_a_preview_of_nothing_says_so_and_a_ticked_row_is_previewed_without_scripts(still: Page) -> None:
    still.set_viewport_size({"width": 1280, "height": 800})
    still.goto("/queue?shop=tea&reason=missing_item")
    picked = still.locator("#picked")
    picked.get_by_role("button", name="预览").click()
    expect(
        still.get_by_role("status").get_by_text("没有预览：还没有选要做什么，请先选一项。")
    ).to_be_visible()
    picked.get_by_label("要做什么").select_option("agree_refund")
    picked.get_by_role("button", name="预览").click()
    none = "没有预览：还没有选中售后单，请先勾选，或用页尾的“对符合条件的全部”。"
    expect(still.get_by_text(none)).to_be_visible()
    assert "/queue?shop=tea&reason=missing_item" in still.url
    still.locator("[name=pick]").first.check()
    picked.get_by_label("要做什么").select_option("agree_refund")
    picked.get_by_role("button", name="预览").click()
    still.wait_for_url("**/bulk/*")
    expect(still.get_by_role("button", name="同意退款 1 单，共 ¥12.50")).to_be_visible()
    still.set_viewport_size({"width": 390, "height": 844})
    still.goto("/queue?shop=tea&reason=missing_item")
    expect(picked).to_be_hidden()  # where no row can be ticked


@pytest.mark.parametrize("address", ["/money", "/work-orders", "/work-orders/parcels"])
def test_the_filters_of_every_list_open_without_scripts(still: Page, address: str) -> None:
    still.set_viewport_size({"width": 390, "height": 844})
    still.goto(address)
    chip = still.locator(".desk-chips details.dropdown").first
    choice = chip.get_by_role("link", name="青山茶铺")
    expect(choice).to_be_hidden()
    chip.locator("summary").click()
    expect(choice).to_be_in_viewport(ratio=1)
    choice.click()
    still.wait_for_url(f"**{address}?*shop=tea*")
    expect(chip.locator("summary")).to_have_text("店铺青山茶铺")
    chip.locator("summary").click()
    chip.get_by_role("link", name="不限").click()
    still.wait_for_url(lambda url: "shop=" not in url)


@pytest.mark.parametrize(
    ("address", "words", "there"),
    [
        ("/work-orders", "开工单", "**/work-orders/tea/new"),
        ("/work-orders/claims", "提出索赔", "**/work-orders/claims/tea/new"),
    ],
)
def test_what_is_begun_in_one_of_several_shops_needs_no_scripts(
    still: Page, address: str, words: str, there: str
) -> None:
    still.set_viewport_size({"width": 390, "height": 844})
    still.goto(address)
    still.locator("summary").filter(has_text=words).click()
    choice = still.locator(".wo-new").get_by_role("link", name="青山茶铺")
    expect(choice).to_be_in_viewport(ratio=1)
    choice.click()
    still.wait_for_url(there)


def test_on_a_phone_every_page_is_reached_without_scripts(still: Page) -> None:
    still.set_viewport_size({"width": 390, "height": 844})
    still.goto("/queue")
    expect(still.get_by_label("菜单")).to_be_hidden()
    assert still.evaluate("document.documentElement.scrollWidth") <= 390
    still.get_by_role("link", name="资金").click()
    still.wait_for_url("**/money")
    expect(still.get_by_role("button", name="退出 · 主管阿兰")).to_be_visible()
    expect(still.get_by_role("button", name="快捷键")).to_be_hidden()
