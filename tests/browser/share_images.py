"""Draw the pictures that stand beside shared links: static/img/share.png, and one a category.

They follow content/site.toml and content/categories.toml and use the site's own colours, faces and drawings, so they
are drawn anew when a name there changes: `make share-images`.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode
from pathlib import Path

from install import chromium
from jinja2 import Environment, FileSystemLoader, select_autoescape
from playwright.sync_api import Page, sync_playwright
from visitor import CHROMIUM

from xinheng.articles.cover import SHAPES, cover
from xinheng.articles.reading import read_categories
from xinheng.chinese import line_pieces
from xinheng.company import load_company

ROOT = Path(__file__).parent.parent.parent
WIDTH, HEIGHT = 1200, 630
SHEETS = ("tokens", "base", "site", "home")
LARGEST = 60_000  # bytes: some messengers give up on larger ones

CARD = """
{% import "components/site.html" as site %}
{% import "components/cover.html" as covers %}
{% import "components/beam.html" as beam %}
<!doctype html>
<html lang="zh-Hans">
<style>
  body { width: 1200px; height: 630px; padding: 44px 64px 0; overflow: hidden; }
  .name { display: flex; align-items: center; gap: 16px; font: 700 40px/1 var(--song); letter-spacing: .1em; }
  .name svg { width: 52px; height: 52px; }
  .name small { margin-left: 8px; padding-left: 22px; border-left: 2px solid var(--line-strong); color: var(--ink-soft);
    font: 400 26px/1.2 var(--hei); letter-spacing: 0; }
  .rule { height: 9px; margin-top: 26px; border: solid var(--ink); border-width: 5px 0 1px; }
  .category { display: grid; grid-template-columns: 1fr 600px; gap: 40px; align-items: center; margin-top: 40px; }
  .category h1 { font-size: 72px; line-height: 1.25; word-break: keep-all; overflow-wrap: normal; }
  .category p { margin-top: 24px; color: var(--ink-soft); font-size: 30px; line-height: 1.6; }
  .category .cover text { display: none; }
  .say { margin-top: 26px; font: 700 64px/1.3 var(--song); }
  .say span { display: inline-block; }
  .say b { display: block; color: var(--accent); }
  .days { zoom: 1.2; margin: 22px 0 0; }
  .days figcaption { display: none; }
</style>
<div class="name">{{ site.mark() }}{{ company.name }}<small>{{ company.tagline }}</small></div>
<div class="rule"></div>
{% if category %}
<div class="category">
  <div><h1>{% for piece in pieces(category.name) %}{{ piece }}<wbr>{% endfor %}</h1><p>{{ category.description }}</p></div>
  {{ covers.draw(category.name, category) }}
</div>
{% else %}
<p class="say">{% for line in company.home.statement %}<span>{{ line }}</span>{% endfor %}<b>{{ company.home.question }}</b></p>
{{ beam.days(company.home) }}
{% endif %}
</html>
"""


# Colours that differ by less than anyone sees become one, so that a byte is enough for each pixel.
INDEXED = """async (picture) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  const coarse = (at) => ((data[at] >> 4) << 8) | ((data[at + 1] >> 4) << 4) | (data[at + 2] >> 4);
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const exact = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    const known = counts.get(coarse(at)) ?? counts.set(coarse(at), new Map()).get(coarse(at));
    known.set(exact, (known.get(exact) ?? 0) + 1);
  }
  const order = [...counts.keys()];
  const colours = order.map((key) => [...counts.get(key)].reduce((most, each) => (each[1] > most[1] ? each : most))[0]);
  const places = new Map(order.map((key, place) => [key, place]));
  let text = "";
  for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(places.get(coarse(at)));
  return { colours, pixels: btoa(text) };
}"""


def draw(page: Page, sheets: str, html: str, file: Path) -> None:
    """Draw one card; raises ValueError where the file would be too large to be shown."""
    page.set_content(html)
    page.add_style_tag(content=sheets)
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})
    indexed = page.evaluate(INDEXED, b64encode(shot).decode())
    picture = png(indexed["colours"], b64decode(indexed["pixels"]))
    if len(picture) > LARGEST:
        raise ValueError(f"{file.name}: {len(picture)} bytes, at most {LARGEST}")
    file.write_bytes(picture)
    print(f"{file.relative_to(ROOT)}  {len(picture):,} bytes")


def png(colours: list[int], pixels: bytes) -> bytes:
    """A PNG with a palette; `colours` are 0xRRGGBB, each pixel is the place of its colour."""
    rows = b"".join(b"\0" + pixels[start : start + WIDTH] for start in range(0, len(pixels), WIDTH))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    palette = b"".join(colour.to_bytes(3) for colour in colours)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def main() -> None:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "site" / "xinheng" / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(cover=cover, shapes=SHAPES, pieces=line_pieces)
    card = environment.from_string(CARD)
    sheets = "\n".join((ROOT / "static" / "css" / f"{name}.css").read_text("utf-8") for name in SHEETS)
    content, pictures = ROOT / "content", ROOT / "static" / "img"
    company = load_company(content)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        draw(page, sheets, card.render(company=company, category=None), pictures / "share.png")
        for slug, category in read_categories(content).items():
            draw(
                page, sheets, card.render(company=company, category=category), pictures / f"share-{slug}.png"
            )
        browser.close()


if __name__ == "__main__":
    main()
