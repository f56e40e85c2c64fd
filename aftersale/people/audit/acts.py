"""What people did on cases, as the log tells it; it stands in the timeline of the case."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from aftersale.cases.people import KINDS
from aftersale.people import timeline, words
from aftersale.people.audit.asked import Mark
from aftersale.people.rights.masking import masked_words

SOURCE = 0


@dataclass(frozen=True, slots=True)
class Act:
    """`what`: the code of the log, `said`: what the timeline holds. `amount_fen`: of the refund that it was about."""

    id: int
    at: datetime
    who: str
    shop_id: int
    case_id: str
    kind: str
    what: str
    said: str
    amount_fen: int | None

    @property
    def mark(self) -> Mark:
        return Mark(self.at, SOURCE, self.id)

    @property
    def by(self) -> str:
        """A person's name, or whoever of the machinery it was."""
        if self.what == "approval" and self.said == "expired":
            return _("系统")
        if self.what == "difference" and not self.said.startswith("resolved "):
            return _("对账")
        return self.who

    @property
    def title(self) -> str:
        return timeline.sentence(self.kind, self.said) if self.what == "undo" else titles()[self.what]

    @property
    def subject(self) -> str:
        """What was said with it, without the numbers of persons; of most outward effects the title says it all."""
        told = self.kind == "person" and self.what != "person"
        return "" if told else masked_words(timeline.sentence(self.kind, self.said))

    @property
    def why(self) -> str:
        return ""

    @property
    def details(self) -> Iterator[tuple[str, str]]:
        return iter(())


def titles() -> dict[str, str]:
    """Every act of the view `act` in words."""
    return {
        **{kind: words.intent(kind) for kind in KINDS},
        "undo": _("撤回"),
        "person": _("其他决定"),
        "approval": _("复核"),
        "assign": _("接手与分派"),
        "handover": _("交接"),
        "note": _("备注"),
        "fact": _("查明事实"),
        "step": _("处理步骤"),
        "contact": _("联系买家"),
        "override": _("超次数联系"),
        "promise": _("承诺"),
        "evidence": _("凭证"),
        "work_order": _("工单"),
        "difference": _("对账差异"),
    }
