"""Make sure of a Chromium and a Chinese font for the browser tests.

Uses what is installed; else the system's package manager, where it may (root, or sudo without a password). With
neither, it says the one line that mends it and ends with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PACKAGES = {
    "apt-get": (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"],
    ),
    "dnf": (
        ["true"],
        [
            "dnf",
            "install",
            "-y",
            "-q",
            "chromium",
            "google-noto-sans-cjk-fonts",
            "google-noto-serif-cjk-fonts",
        ],
    ),
    "pacman": (["true"], ["pacman", "-Sy", "--noconfirm", "chromium", "noto-fonts-cjk"]),
}


def chromium() -> str | None:
    """The path of a Chromium or Chrome, or None."""
    if chosen := os.environ.get("XINHENG_TEST_CHROMIUM"):
        return chosen
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (MAC if Path(MAC).exists() else None)


def chinese_font() -> bool:
    """Whether Chinese text would show as characters, not as boxes."""
    if shutil.which("fc-list") is None:
        return sys.platform == "darwin"
    return bool(
        subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False).stdout.strip()
    )


def main() -> int:
    if chromium() and chinese_font():
        return 0
    manager = next((name for name in PACKAGES if shutil.which(name)), None)
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if manager and (not before or shutil.which("sudo")):
        update, install = PACKAGES[manager]
        print("安装 Chromium 和中文字体，供浏览器测试使用……", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*before, *update], check=False, env=environment)
        subprocess.run([*before, *install], check=False, env=environment)
    if chromium() and chinese_font():
        return 0
    line = " ".join(PACKAGES[manager][1]) if manager else "请安装 Chromium（或 Chrome）和一种中文字体"
    print(f"浏览器测试需要 Chromium 和中文字体，请运行：\n    sudo {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
