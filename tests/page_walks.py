"""People who walk through pages in a real browser: by links, labels and buttons alone, with a mouse or with keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.page_admins import PASSWORD
from tests.page_browser import OF_STATUS

MILLISECONDS = 30_000
"""How long a page may take on a busy machine."""
MOST_STOPS = 250
"""Limit on the presses of Tab from one element of a page to another."""
SEEN = """(wanted) => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return [false, []];
    const shown = getComputedStyle(focused).opacity === "0" ? focused.labels[0] : focused;
    const style = getComputedStyle(shown), box = shown.getBoundingClientRect();
    const top = shown.closest(".bar, .skip") ? 0 : document.querySelector(".bar").getBoundingClientRect().bottom;
    const fits = box.height <= innerHeight - top, faults = [];
    const hasOutline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    if (!hasOutline && style.boxShadow === "none") faults.push("has no outline");
    if (box.right <= 0 || box.left >= innerWidth) faults.push("is beside the window");
    if (fits ? box.bottom > innerHeight + 1 : box.top >= innerHeight) faults.push("is below the window");
    if (fits ? box.top < top - 1 : box.bottom <= top) faults.push(`at ${box.top} is under the bar, to ${top}`);
    const where = `${location.pathname}: ${shown.outerHTML.slice(0, 160)}`;
    return [focused === wanted, faults.map((fault) => `${where} ${fault}`)];
}"""
"""Whether the wanted element has the focus, and how the focus is not seen; a label shows that of a hidden field."""


@dataclass
class Walk:
    """Someone at a page. `faults` are what the browser logged, and the requests that left `origin`."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    has_scripts: bool = True

    def open(self, url: str) -> None:
        """Open the first page."""
        self.page.goto(url)

    def follow(self, name: str) -> Response:
        """What the first link with the words `name` leads to."""
        return self._go(self._of("link", name))

    def looks_until(self, holds: Callable[[], bool]) -> None:
        """Look at the page again until something holds: numbers are added up each second."""
        deadline = monotonic() + MILLISECONDS / 1000
        while not holds():
            assert monotonic() < deadline, f"the page does not come to say it: {self.text()}"
            self.page.reload()

    def has_link(self, name: str) -> bool:
        """True if a link has the words `name`."""
        return self._of("link", name).is_visible()

    def press(self, name: str) -> Response:
        """What the first button with the words `name` leads to."""
        return self._go(self._of("button", name))

    def enter(self, label: str, text: str) -> None:
        """Fill in the field with a label, in place of what it has."""
        self._labelled(label).fill(text)

    def tick(self, label: str) -> None:
        """Tick the box with a label."""
        self._labelled(label).check()

    def reads(self, *texts: str) -> None:
        """Fail unless the page comes to say each of `texts`."""
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text, timeout=MILLISECONDS)

    def waits(self, text: str) -> None:
        """Return when the page says `text`: by itself, or, without a script, when it is looked at again."""
        while not self.has_scripts and text not in self.text():
            self.follow("Look again")
        self.reads(text)

    def text(self) -> str:
        """The words of the page."""
        return " ".join(self.page.locator("main").inner_text().split())

    def sign_in(self, name: str) -> Response:
        """Sign in as an admin with the password of all."""
        self.enter("Name", name)
        self.enter("Password", PASSWORD)
        return self.press("Sign in")

    def _of(self, role: Any, name: str) -> Locator:
        return self.page.get_by_role(role, name=name, exact=True).first

    def _labelled(self, label: str) -> Locator:
        return self.page.locator("input, textarea, select").and_(self.page.get_by_label(label, exact=True))

    def _go(self, element: Locator) -> Response:
        element.wait_for()
        with self.page.expect_navigation() as navigation:
            self._activate(element)
        response = navigation.value
        assert response is not None
        return response

    def _activate(self, element: Locator) -> None:
        element.click()


class KeyWalk(Walk):
    """Someone without a mouse: at each stop of Tab, the focus must be seen."""

    def enter(self, label: str, text: str) -> None:
        """As `Walk.enter`; Tab selects what a field has."""
        self._reach(self._labelled(label))
        self.page.keyboard.type(text)

    def tick(self, label: str) -> None:
        """As `Walk.tick`, if it is not ticked."""
        box = self._labelled(label)
        self._reach(box)
        if not box.is_checked():
            self.page.keyboard.press("Space")

    def goes_back(self) -> None:
        """Look at each stop from the end of the page to its beginning."""
        self.page.locator("footer a").last.focus()
        first = self.page.locator("a.skip").element_handle()
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Shift+Tab")
            is_there, faults = first.evaluate(SEEN)
            self.faults += faults
            if is_there:
                return
        raise AssertionError("Shift+Tab does not come to the beginning")

    def _activate(self, element: Locator) -> None:
        self._reach(element)
        self.page.keyboard.press("Enter")

    def _reach(self, element: Locator) -> None:
        wanted = element.element_handle()
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            is_there, faults = wanted.evaluate(SEEN)
            self.faults += faults
            if is_there:
                return
        raise AssertionError(f"Tab does not come to {element}")


@contextmanager
def walking(
    browser: Browser, origin: str, kind: type[Walk] = Walk, has_scripts: bool = True, width: int = 1280
) -> Iterator[Walk]:
    """Someone with a browser of their own; at the end, fail if the browser had anything to complain about."""
    with browser.new_context(
        java_script_enabled=has_scripts, viewport={"width": width, "height": 800}, base_url=origin
    ) as context:
        context.set_default_timeout(MILLISECONDS)
        walk = kind(context.new_page(), origin, has_scripts=has_scripts)
        log = walk.faults.append
        context.on("console", lambda said: None if said.text.startswith(OF_STATUS) else log(said.text))
        context.on("weberror", lambda error: log(str(error.error)))
        context.on("request", lambda sent: None if sent.url.startswith(f"{origin}/") else log(sent.url))
        context.on("response", lambda got: log(f"{got.status} {got.url}") if _is_lost(got) else None)
        yield walk
        assert not walk.faults, "\n".join(sorted(set(walk.faults)))


def _is_lost(response: Response) -> bool:
    """True if something that a page needs is refused; a page itself may be."""
    return response.status >= 400 and not response.request.is_navigation_request()
