"""The wording of data: values made short, exceptions made text. Nothing here knows a process."""

from midflight.text.columns import columns, cut, width
from midflight.text.shorten import encodable, long, medium, raised, short, type_name
from midflight.text.token import Token
from midflight.text.tracebacks import exception_line, exception_said, exception_text, exceptions_in, trace_of
from midflight.text.user_frames import error_text, stack_text

__all__ = [
    "Token",
    "columns",
    "cut",
    "encodable",
    "error_text",
    "exception_line",
    "exception_said",
    "exception_text",
    "exceptions_in",
    "long",
    "medium",
    "raised",
    "short",
    "stack_text",
    "trace_of",
    "type_name",
    "width",
]
