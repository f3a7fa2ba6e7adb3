"""Line items that also work without JavaScript: the buttons "add" and "remove" are ordinary submit buttons."""

from django.http import HttpRequest, QueryDict


def wants_more(request: HttpRequest, prefix: str) -> bool:
    """Whether the person pressed "add" of this formset instead of sending the form."""
    return request.method == "POST" and f"{prefix}-add" in request.POST


def grown(data: QueryDict, prefix: str) -> QueryDict:
    """The posted data with one more empty form."""
    changed = data.copy()
    name = f"{prefix}-TOTAL_FORMS"
    try:
        count = int(changed.get(name, 0))
    except ValueError:
        count = 0
    changed[name] = str(count + 1)
    return changed
