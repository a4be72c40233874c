"""A real browser that looks at pages: what it logs and asks for, whether they fit, and what axe finds."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.browsers import PROGRAM

SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""The directory for a picture of each page that is looked at; none without it."""
WIDTHS = {"desktop": 1280, "phone": 360}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that a theme may break: it changes nothing but colours."""
OF_WHOLE_PAGES = ["landmark-no-duplicate-main"]
"""The rules that count elements which axe should pass over, too."""
OF_STATUS = "Failed to load resource: the server responded with a status of"
"""What the browser logs for each page with an error."""
MOST = 2
"""How many pixels letters may reach beyond their box: they lean, and browsers round."""
UNREADABLE = """([besides, most]) => {
    const boxes = [], faults = new Set(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const words = (text) => `"${text.data.trim().slice(0, 60)}"`;
    const around = new Map();
    const ancestors = (element) => {
        if (element === document.documentElement) return [];
        if (!around.has(element)) {
            const style = getComputedStyle(element), edges = element.getBoundingClientRect();
            const scrolls = /auto|scroll/.test(style.overflowX) && style.scrollbarWidth !== "none";
            const hides = style.clipPath !== "none";
            const own = /^(inline|contents)$/.test(style.display) ? [] : [{element, edges, scrolls, hides}];
            around.set(element, [...own, ...ancestors(element.parentElement)]);
        }
        return around.get(element);
    };
    for (let text; (text = texts.nextNode()); ) {
        const parent = text.parentElement, style = getComputedStyle(parent), range = document.createRange();
        const seen = parent.checkVisibility({visibilityProperty: true, opacityProperty: true});
        if (!seen || !text.data.trim() || parent.closest(`option, svg, .skip${besides && `, ${besides}`}`)) continue;
        if (ancestors(parent).some(({hides}) => hides)) continue;
        const spare = most + (style.whiteSpace === "pre-wrap" ? parseFloat(style.fontSize) : 0);
        range.selectNodeContents(text);
        for (const line of range.getClientRects()) {
            const inset = line.height / 5;
            let [left, right, top, bottom] = [line.left, line.right, line.top + inset, line.bottom - inset];
            for (const {element, edges, scrolls} of ancestors(parent)) {
                if (scrolls) {
                    [left, right] = [Math.max(left, edges.left), Math.min(right, edges.right)];
                    [top, bottom] = [Math.max(top, edges.top), Math.min(bottom, edges.bottom)];
                    if (right <= left || bottom <= top) break;
                }
                const beyond = Math.max(edges.left - left, right - edges.right, edges.top - top, bottom - edges.bottom);
                if (beyond > spare) faults.add(`${words(text)} is outside of ${element.cloneNode().outerHTML}`);
            }
            if (right > left && bottom > top) boxes.push({left, right, top, bottom, text});
        }
    }
    boxes.sort((one, other) => one.top - other.top);
    boxes.forEach((one, at) => {
        for (let next = at + 1; next < boxes.length && boxes[next].top < one.bottom; next++) {
            const other = boxes[next], shared = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            if (shared > most && other.text !== one.text) faults.add(`${words(one.text)} is over ${words(other.text)}`);
        }
    });
    for (const select of document.querySelectorAll("select")) {
        const shown = select.offsetWidth;
        select.style.width = "max-content";
        const wanted = Math.min(select.offsetWidth, (select.form ?? select.parentElement).clientWidth);
        if (wanted > shown + most) faults.add(`${select.outerHTML.slice(0, 60)} is too narrow for its words`);
        select.style.width = "";
    }
    return [...faults].slice(0, 5);
}"""
"""Texts that lie outside of their boxes or over others: where a box shows that it scrolls, they may go on.

A blank may hang at the end of a line that wraps.
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is wrong with a page, in words; and its status."""

    status: int
    faults: list[str]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. Without one the test is skipped; in CI it fails."""
    if (program := shutil.which(PROGRAM)) is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{PROGRAM} is not installed")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]) as browser,
    ):
        yield browser


def look(  # noqa: PLR0917 (how pages differ)
    browser: Browser,
    url: str,
    state: str = "",
    cookies: Mapping[str, str] | None = None,
    besides: str = "",
    send: Callable[[Page], object] | None = None,
) -> Look:
    """Look at the page at `url` in each theme and width, and at 200 %, and again without the policy, for axe.

    `state` is that of the service, for the name of the picture; `cookies` are those of someone who is signed in. axe
    passes over the elements that match `besides`. `send` sends a form of the page: then the page that it leads to is
    looked at.
    """
    logged: list[str] = []
    origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    kept: Any = [{"name": name, "value": value, "url": origin} for name, value in (cookies or {}).items()]
    with browser.new_context() as context:
        context.add_cookies(kept)
        page = context.new_page()
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("request", lambda sent: logged.append(sent.url) if not sent.url.startswith(origin) else None)
        response = _opened(page, url, send)
        faults = [text for text in logged if not (response.status >= 400 and text.startswith(OF_STATUS))]
        for way in chain(_ways(page), _zooms(page)):
            faults += [f"{way}: {fault}" for fault in [*_sideways(page), *page.evaluate(UNREADABLE, [besides, MOST])]]
            _picture(page, url, f"{state}{way}")
    with browser.new_context(bypass_csp=True) as context:
        context.add_cookies(kept)
        page = context.new_page()
        _opened(page, url, send)
        for way in _ways(page):
            rules = RULES if way.startswith(THEMES[0]) else {"type": "rule", "values": OF_COLOURS}
            off = {rule: {"enabled": False} for rule in OF_WHOLE_PAGES if besides}
            options = {"runOnly": rules, "rules": off, "resultTypes": ["violations"]}
            found = Axe().run(page, {"exclude": [besides]} if besides else None, options).response["violations"]
            faults += [f"{way}: {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]
    return Look(response.status, faults)


def _opened(page: Page, url: str, send: Callable[[Page], object] | None) -> Response:
    """Open a page, or what its form leads to, and wait until no part of it is being made by a script."""
    response = page.goto(url)
    if send:
        with page.expect_navigation() as navigation:
            send(page)
        response = navigation.value
        page.evaluate("scrollTo(0, 0)")  # the bar covers what is above the list of faults
    assert response is not None
    page.locator('[aria-busy="true"]').wait_for(state="detached")
    return response


def _ways(page: Page) -> Iterator[str]:
    """Show a page in each theme and width."""
    for width, pixels in WIDTHS.items():
        page.set_viewport_size({"width": pixels, "height": 800})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            yield f"{theme}-{width}"


def _zooms(page: Page) -> Iterator[str]:
    """Show a page at 200 %, as a desktop zooms it, and then with its text alone at 200 %."""
    page.set_viewport_size({"width": WIDTHS["desktop"] // 2, "height": 400})
    yield "zoomed"
    page.set_viewport_size({"width": WIDTHS["desktop"], "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    yield "enlarged"


def _sideways(page: Page) -> list[str]:
    """A fault if the page scrolls sideways."""
    wide, there = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"the page is {wide} pixels wide, in a window of {there}"] if wide > there else []


def _picture(page: Page, url: str, way: str) -> None:
    if SCREENSHOTS:
        name = re.sub(r"[^a-z0-9.]+", "-", url.partition("://")[2].partition("/")[2].lower()).strip("-") or "home"
        page.screenshot(path=Path(SCREENSHOTS, f"{name}-{way}.png"), full_page=True)
