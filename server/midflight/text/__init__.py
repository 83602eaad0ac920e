"""How data is worded: values made short, exceptions made text. Nothing here knows a process."""

from midflight.text.shorten import encodable, long, medium, raised, short, type_name
from midflight.text.tracebacks import exception_line, exception_text, exceptions_in, trace_of

__all__ = [
    "encodable",
    "exception_line",
    "exception_text",
    "exceptions_in",
    "long",
    "medium",
    "raised",
    "short",
    "trace_of",
    "type_name",
]
