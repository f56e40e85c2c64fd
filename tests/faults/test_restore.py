"""A backup that does not know the last refunds is restored, and a copy is started: nothing is paid twice (P28, F52, F53)."""

from pathlib import Path

from tests.faults.real.restore import copy_and_start, lose_and_restore


def test_what_the_backup_does_not_know_is_not_paid_again(tmp_path: Path) -> None:
    told = lose_and_restore(tmp_path, to_the_end=False)
    assert told.wrong == []
    assert told.figures["refunds that the restored record does not know"] >= 3
    assert told.figures["calls that would pay, before a person's word"] == 0
    assert told.figures["paid twice"] == 0


def test_a_copy_of_the_data_folder_sends_nothing(tmp_path: Path) -> None:
    told = copy_and_start(tmp_path)
    assert told.wrong == []
    assert told.figures["refunds that wait to be sent"] > 0
    assert told.figures["calls that would pay, before a person's word"] == 0
