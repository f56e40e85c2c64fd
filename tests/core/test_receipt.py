"""What pieces say about a case, and who a nameless parcel may belong to."""

import pytest

from aftersale.core.returns.anonymous import AnonymousParcel
from aftersale.core.returns.likely import Awaited, near, ranked
from aftersale.core.returns.receipt import (
    Line,
    Piece,
    Unit,
    condition_of,
    expected,
    outstanding,
    spoken,
    worst,
)

TEA = Line("1", "明前龙井 250g 礼盒", "LJ250", 3, 30_000)
NUTS = Line("2", "坚果每日装 30 包", "JG30", 1, 8_000)


@pytest.mark.parametrize(
    ("line_id", "amount_fen", "pieces"),
    [
        ("1", 30_000, 3),
        ("1", 10_000, 1),
        ("1", 10_001, 2),
        ("1", 0, 1),
        ("1", 90_000, 3),
        ("1", None, 3),
        (None, 8_000, 4),
        ("9", 8_000, 4),
    ],
)
def test_as_many_pieces_as_the_amount_pays_for(
    line_id: str | None, amount_fen: int | None, pieces: int
) -> None:
    assert len(expected((TEA, NUTS), line_id, amount_fen, None)) == pieces


def test_without_lines_one_piece_by_the_title() -> None:
    assert expected((), "1", 5_000, "蛋黄酥") == (Piece(None, "蛋黄酥", None),)


def test_a_free_gift_alone_is_one_line_whole() -> None:
    gift = Line("3", "赠品", None, 2, 0)
    assert len(expected((gift,), "3", 100, None)) == 2


PIECES = expected((TEA,), "1", 20_000, None)


@pytest.mark.parametrize(
    ("came", "condition"),
    [
        ("", None),
        ("intact intact", "intact"),
        ("intact", "missing_item"),
        ("intact missing_item", "missing_item"),
        ("intact missing_item intact", "intact"),
        ("missing_item missing_item", "missing_item"),
        ("damaged intact", "damaged"),
        ("damaged missing_item", "damaged"),
        ("intact wrong_item", "wrong_item"),
        ("damaged swapped", "swapped"),
        ("intact intact wrong_item", "wrong_item"),
    ],
)
def test_one_word_for_all_parcels_of_a_case(came: str, condition: str | None) -> None:
    assert condition_of(PIECES, [Unit("1", one) for one in came.split()]) == condition


def test_a_case_whose_goods_are_not_here_spoils_the_parcel_of_both() -> None:
    assert worst(["intact", None]) == "missing_item"
    assert worst([None, None]) is None
    assert worst(["intact", "damaged"]) == "damaged"


def test_what_came_is_not_asked_for_again() -> None:
    assert outstanding(PIECES, [Unit("1", "intact"), Unit("1", "missing_item")]) == PIECES[:1]
    assert outstanding(PIECES, [Unit("1", "damaged"), Unit("1", "intact")]) == ()


@pytest.mark.parametrize(
    ("text", "pieces", "said"),
    [
        ("0", 3, ("intact", "intact", "intact")),
        ("1", 1, ("intact",)),
        ("25", 2, ("damaged", "swapped")),
        ("13", 3, None),
        ("1", 2, None),
        ("6", 1, None),
        ("", 1, None),
        ("YT7700000001", 1, None),
        ("1234512", 7, None),
        ("１", 1, None),
    ],
)
def test_a_waybill_is_never_taken_for_a_condition(
    text: str, pieces: int, said: tuple[str, ...] | None
) -> None:
    assert spoken(text, pieces) == said


@pytest.mark.parametrize("slip", ["YT1234567", "YT1234576", "YT12345678X", "YT123345678", "YT12345679"])
def test_one_slip_is_near(slip: str) -> None:
    assert (slip in near("YT12345678")) == (slip not in ("YT1234576", "YT12345678X"))


def test_two_slips_are_not_near() -> None:
    assert "YT12345688" in near("YT12345678")
    assert "YT12345699" not in near("YT12345678")
    assert "YT12346578" in near("YT12345678")


def test_likeliest_first_and_each_with_its_reasons() -> None:
    cases = [
        Awaited(1, "R1", ("YT12345679",)),
        Awaited(1, "R2", (), ("LJ250",), ("明前龙井",), "4321", 300),
        Awaited(2, "R3", (), ("JG30",), ("坚果",), "4321", 900),
        Awaited(1, "R4", ("SF999",)),
        Awaited(1, "R5", ("YT12345678",)),
    ]
    parcel = AnonymousParcel("lj250", "4321", "YT12345678", 320)
    found = ranked(parcel, 1, cases, 50)
    assert [(one.awaited.case_id, one.reasons) for one in found] == [
        ("R5", ("same_waybill", "same_shop")),
        ("R2", ("same_phone_tail", "same_goods", "same_weight", "no_number", "same_shop")),
        ("R1", ("near_waybill", "same_shop")),
        ("R3", ("same_phone_tail", "other_weight", "no_number")),
    ]
