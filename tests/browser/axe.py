"""axe-core on a page: the accessibility engine from npm, fetched at set-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def serious(page: Page) -> list[dict[str, Any]]:
    """Serious and critical violations, each with its rule and the first nodes. Runs in the page's own world, past its CSP."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run(document, {resultTypes: ['violations']})",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    found = answer["result"]["value"]["violations"]
    return [
        {"rule": v["id"], "impact": v["impact"], "nodes": [n["html"][:120] for n in v["nodes"][:3]]}
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]
