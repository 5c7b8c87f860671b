"""Base forms: every field says what to do when it is wrong, and related objects are narrowed to what the person may see."""

from __future__ import annotations

from typing import Any

from django import forms

from edatrs.core.dates import lowered
from edatrs.core.managers import TenantModel

_DJANGOS_WORDS = forms.Field.default_error_messages["required"]


class ScopedModelChoiceField(forms.ModelChoiceField):
    """A choice among rows of the organisation acted for; `narrow` gets the manager at the time the form is shown and again when saved.

    Refuses a tenant model's queryset at declaration, because it would be of no scope.
    """

    def __init__(self, model: type[TenantModel], **kwargs: Any) -> None:
        self.tenant_model = model
        super().__init__(queryset=model.objects.none(), **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        field = super().__deepcopy__(memo)
        field.queryset = self.tenant_model.objects.all()
        return field


class Form(forms.Form):
    """A form that renders with our templates: no browser validation bubbles, errors in a summary and at the field.

    `unchecked=True` shows data as it was typed, without a word about what is wrong or missing: a draft that is brought back.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, unchecked: bool = False, **kwargs: Any) -> None:
        self.unchecked = unchecked
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for name, bound in self.fields.items():
            plain = isinstance(bound, forms.ModelChoiceField) and not isinstance(
                bound, ScopedModelChoiceField
            )
            if plain and issubclass(bound.queryset.model, TenantModel):  # type: ignore[attr-defined]  # plain says so
                raise TypeError(f"{type(self).__name__}.{name} must be a ScopedModelChoiceField")
            if bound.required and bound.label and bound.error_messages.get("required") == _DJANGOS_WORDS:
                label = str(bound.label)
                asked = label.endswith("?")
                bound.error_messages["required"] = (
                    f"Answer: {label}" if asked else f"Enter the {lowered(label)}"
                )

    def full_clean(self) -> None:
        """As Django's; nothing is checked of a draft, and it is never valid."""
        if not self.unchecked:
            super().full_clean()
            return
        self._errors = forms.utils.ErrorDict()
        self.cleaned_data: dict[str, Any] = {}

    def is_valid(self) -> bool:
        """As Django's; a draft is not."""
        return not self.unchecked and super().is_valid()
