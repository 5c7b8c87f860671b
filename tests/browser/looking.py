"""What is looked at on a page in a real browser: accessibility, a walk by keyboard, width and size of text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.axe import serious

SMALLEST_TEXT = 13
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

_TABBABLE = """() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];
  const shown = all.filter((e) => !e.disabled && e.tabIndex >= 0 && e.type !== 'hidden' && e.getClientRects().length > 0
    && getComputedStyle(e).visibility !== 'hidden' && !e.closest('dialog:not([open])') && !e.closest('[inert]'));
  const groups = new Set();
  const stops = shown.filter((e) => {
    if (e.type !== 'radio') return true;
    const group = (e.form ? [...document.forms].indexOf(e.form) : '') + e.name;
    if (groups.has(group)) return false;
    groups.add(group);
    return true;
  });
  stops.forEach((e, i) => { e.dataset.walk = i; });
  shown.filter((e) => e.type === 'radio').forEach((e) => {
    const group = (e.form ? [...document.forms].indexOf(e.form) : '') + e.name;
    const first = stops.find((s) => s.type === 'radio' && (s.form ? [...document.forms].indexOf(s.form) : '') + s.name === group);
    e.dataset.walk = first.dataset.walk;
  });
  return stops.map((e) => e.outerHTML.slice(0, 120));
}"""
_AT = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return {at: null};
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const drawn = e.type === 'radio' || e.type === 'checkbox' ||
    (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  return {at: e.dataset.walk ?? null, drawn, what: e.outerHTML.slice(0, 120), seen: box.width > 0 && box.height > 0};
}"""
_SMALL = """(least) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest('script, style, .govuk-visually-hidden, title, desc')) continue;
    if (parent.getClientRects().length === 0) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < least) found.push(`${size}px: ${node.textContent.trim().slice(0, 40)}`);
  }
  return found;
}"""
_WIDE = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  return [...document.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > most + 1 && getComputedStyle(e).position !== 'fixed' && !e.closest('.app-scroll'))
    .map((e) => `${e.tagName}.${e.className}`.slice(0, 60) + ` ${Math.round(e.getBoundingClientRect().right)}`).slice(0, 4);
}"""
# Read aloud: headings in order, a name for each table and image, an id once, a link that says where it leads without what stands around it.
# Left out: the headings of an error summary and of an alert, which GOV.UK and the Ministry put before the page's own;
# a link in a row's header (two people may have one name: the row's other cells tell them apart) and links outside <main>.
_READ = """() => {
  const found = [];
  const shown = (e) => e.getClientRects().length > 0 && !e.closest('dialog:not([open])');
  const words = (e) => (e.getAttribute('aria-label') || e.textContent).replace(/\\s+/g, ' ').trim().toLowerCase();
  const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(shown);
  const first = headings.filter((h) => h.tagName === 'H1').length;
  if (first !== 1) found.push(`${first} headings of the first level`);
  let last = 0;
  for (const h of headings) {
    if (h.closest('.govuk-error-summary, .moj-alert')) continue;
    const level = Number(h.tagName[1]);
    if (level > last + 1) found.push(`a heading ${level} after ${last}: ${h.textContent.trim().slice(0, 40)}`);
    last = level;
  }
  const ids = new Map();
  for (const e of document.querySelectorAll('[id]')) ids.set(e.id, (ids.get(e.id) || 0) + 1);
  for (const [id, times] of ids) if (times > 1) found.push(`the id ${id} stands ${times} times`);
  if (document.querySelector('img:not([alt])')) found.push('an image without words');
  for (const t of document.querySelectorAll('table')) {
    if (shown(t) && !t.caption) found.push(`a table without a caption: ${t.innerText.slice(0, 40)}`);
  }
  const leads = new Map();
  for (const a of document.querySelectorAll('main a[href]')) {
    if (!shown(a) || a.closest('th')) continue;
    if (!words(a)) found.push(`a link without words: ${a.getAttribute('href')}`);
    leads.set(words(a), (leads.get(words(a)) || new Set()).add(a.href));
  }
  for (const [said, to] of leads) if (to.size > 1) found.push(`"${said.slice(0, 60)}" leads to ${to.size} places`);
  const green = [...document.querySelectorAll('main .govuk-button:not(.govuk-button--secondary, .govuk-button--warning)')].filter(shown);
  if (green.length > 1) found.push(`${green.length} green buttons: ${green.map((b) => b.textContent.trim()).join(', ')}`);
  return found;
}"""


def read_aloud(page: Page) -> list[str]:
    """What would be read out of order, without a name or without saying where it leads; and a second main button."""
    return [f"read aloud: {what}" for what in page.evaluate(_READ)]


def walk(page: Page) -> list[str]:
    """Tab through the whole page: what cannot be reached, what shows no focus, where the focus is caught."""
    stops = page.evaluate(_TABBABLE)
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    reached: dict[str, bool] = {}
    undrawn: list[str] = []
    for _ in range(len(stops) + 8):
        page.keyboard.press("Tab")
        here = page.evaluate(_AT)
        if here["at"] is None:
            continue
        if not here["drawn"]:
            undrawn.append(f"no focus is seen: {here['what']}")
        reached[here["at"]] = True
        if len(reached) == len(stops):
            break
    missed = [f"not reached by Tab: {html}" for i, html in enumerate(stops) if str(i) not in reached]
    return [*missed[:5], *undrawn[:5]]


def too_wide(page: Page) -> list[str]:
    """What stands out of a page of 360 pixels."""
    page.set_viewport_size(NARROW)
    found = [f"wider than 360: {what}" for what in page.evaluate(_WIDE)]
    sideways = page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    page.set_viewport_size(WIDE)
    return found or (["the page scrolls sideways at 360 pixels"] if sideways else [])


def too_small(page: Page) -> list[str]:
    """Text under 13 pixels."""
    return [f"text of {what}" for what in page.evaluate(_SMALL, SMALLEST_TEXT)][:5]


def picture(page: Page, name: str) -> None:
    """A picture at both widths, where somebody asked for pictures."""
    folder = os.environ.get("EDATRS_PICTURES")
    if not folder:
        return
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.screenshot(path=str(Path(folder) / f"{name}-{size['width']}.png"), full_page=True)
    page.set_viewport_size(WIDE)


def look(page: Page, *, by_keyboard: bool = True) -> list[str]:
    """Everything that is wrong with the page that is open, and with what is folded away on it."""
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wrong: list[str] = [f"axe: {v['rule']} {v['nodes'][:2]}" for v in serious(page)]
    wrong += read_aloud(page) + too_small(page) + too_wide(page)
    return wrong + (walk(page) if by_keyboard else [])


def scripts_are_off(page: Page) -> dict[str, Any]:
    """What a page shows without scripts: its heading, and forms without a button."""
    return {
        "heading": page.locator("h1").count(),
        "bare forms": page.locator("form:not(:has(button, input[type=submit]))").count(),
    }
