"""What a worker, a file's reader or a book's reader left as a sentence and its values, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aftersale.core.language.saying import Saying
from aftersale.people import words
from aftersale.people.files.fields import fields


def worded(told: Saying) -> str:
    """A saying whole."""
    return sentence(told["say"], told["values"])


def sentence(say: str, values: Mapping[str, Any]) -> str:
    """The sentence with its values; fields of a merchant's table, facts and rules by their titles."""
    return _(say) % {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return sentence(value["say"], value["values"]) if "say" in value else str(value[words.language()])
    if isinstance(value, list):
        return _("、").join(_value(name, one) for one in value)
    return fields().get(value, value) if name in ("field", "fields") else str(value)
