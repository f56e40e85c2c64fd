"""A refund that hangs on a fact: nothing while it is unknown, once when it is known, from the order's own shares."""

from aftersale.core.refunds import Amount, Refund, given_back, refund, standing
from tests.core.test_refund_cases import frozen
from tests.rules.tables import case, pays, verdict


def test_an_unknown_cancellation_pays_nothing_and_a_known_one_once() -> None:
    unknown = case("pdd_unshipped", "warehouse_state=packing erp_cancel_confirmed=null")
    assert not pays(verdict(unknown))
    split = frozen("goods A 60.00 \n shop 10.00 \n cash 50.00")
    history: list[Refund] = []
    for _ in range(2):
        known = verdict({**unknown, "erp_cancel_confirmed": True})
        assert pays(known)
        one = refund(split, history, "agree_refund", Amount(int(str(unknown["amount"]))))
        assert isinstance(one, Refund)
        history = [*{past.key: past for past in [*history, one]}.values()]
    assert given_back(split, history) == {"cash": 5000}
    assert standing(split, history).refundable_fen() == 0
