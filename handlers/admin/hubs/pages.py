"""All pages of hubs, and their forms."""

from handlers.admin.hubs import (
    client_forms,
    cut_over_forms,
    hub_page,
    key_forms,
    limit_forms,
    list_page,
    manifest_page,
)
from handlers.admin.visits import Handle


def pages() -> dict[tuple[str, str], Handle]:
    """By method and path."""
    return {
        **list_page.pages(),
        **hub_page.pages(),
        **manifest_page.pages(),
        **key_forms.pages(),
        **cut_over_forms.pages(),
        **limit_forms.pages(),
        **client_forms.pages(),
    }
