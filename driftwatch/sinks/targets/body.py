"""A body of one's own for the plain webhook: a template in the table or in a file."""

import re
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr, field_validator, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.sinks.targets.template import Form, Template
from driftwatch.spec import LocatedPath, mistake

JSON = "application/json"
_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]+(; ?[a-z]+=[A-Za-z0-9._-]+)*")


class BodySpec(TargetSpec):
    """The keys of a target whose body a person may write; without one of the first two the event is sent as it is.

    body, template_file: a text in which `${data.model}` stands for what the event says, see `Template`. It is read and
    tried as the configuration is. content_type: what it is: JSON, a form or plain text.
    """

    body: str | None = None
    template_file: LocatedPath | None = None
    content_type: str = JSON
    _template: Template | None = PrivateAttr(default=None)

    @field_validator("content_type")
    @classmethod
    def _known_form(cls, content_type: str) -> str:
        if not _TYPE.fullmatch(content_type) or _form_of(content_type) is None:
            raise ValueError(
                'write "application/json", another type that ends in "+json", "application/x-www-form-urlencoded" '
                'or "text/plain"'
            )
        return content_type

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.body is not None and self.template_file is not None:
            raise mistake("template_file", "the body is written twice; leave one of body and template_file out")
        key = "template_file" if self.body is None else "body"
        if self.template_file is None and self.body is None:
            if "content_type" in self.model_fields_set:
                raise mistake("content_type", "the event is JSON; write the body, too, or leave this out")
            return self
        try:
            text = self.body if self.body is not None else Path(self.template_file or "").read_text(encoding="utf-8")
            self._template = Template(text, form=_form_of(self.content_type) or Form.TEXT)
        except OSError as error:
            raise mistake(key, f"{error.strerror}; make it readable or name another") from error
        except UnicodeDecodeError as error:
            raise mistake(key, "it is not UTF-8 text; save it as UTF-8") from error
        except ValueError as error:
            raise mistake(key, str(error)) from error
        return self

    def written(self, letter: Letter) -> bytes:
        """The body to send of a letter."""
        return letter.body if self._template is None else self._template.render(Said.of(letter)).encode()


def _form_of(content_type: str) -> Form | None:
    kind = content_type.partition(";")[0].lower()
    if kind == JSON or kind.endswith("+json"):
        return Form.JSON
    return {"application/x-www-form-urlencoded": Form.ENCODED, "text/plain": Form.TEXT}.get(kind)
