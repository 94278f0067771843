"""One colour set from outside is enough: every text stays readable, in both themes, on the page and in the element."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from pychat import Chat, ChatRoom
from tests.browser.conftest import ClientSession, Open, Place
from tests.docs.pages import ROOT

LOGO = ROOT / "src" / "pychat" / "assets" / "favicon.svg"
AWKWARD = [
    "yellow", "navy", "white", "black", "red", "blue", "lime", "magenta", "orange", "teal", "#808080", "#777777",
    "#c0ffee", "#f5deb3",
]  # fmt: skip
#: Every text, with all that it stands on.
PAIRS = {
    **dict.fromkeys(("text", "muted", "link"), ("canvas", "side", "raised", "bubble", "own", "mention")),
    **dict.fromkeys(("danger", "warn", "unread"), ("canvas", "side", "raised")),
    "danger ": ("danger-soft",),
    "warn ": ("warn-soft",),
    "on-accent": ("accent", "accent-strong"),
    "on-danger": ("danger", "danger-strong"),
    "on-toast": ("toast",),
}
#: What is seen, but not read: the edges of fields, the focus.
EDGES = ("line-strong", "focus", "mention-bar", "live")

CONTRASTS = """(frame, [property, colours, pairs, edges]) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const probe = frame.appendChild(document.createElement("i"));
  const luminance = name => {
    probe.style.color = `var(--${name.trim()})`;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  for (const colour of colours) {
    const {style} = frame.getRootNode().host ?? document.documentElement;
    if (property) style.setProperty(property, colour);
    for (const [front, backs] of Object.entries(pairs))
      for (const back of backs) if (contrast(front, back) < 4.495) found.push([colour, front, back, contrast(front, back)]);
    for (const edge of edges) if (contrast(edge, "canvas") < 2.99) found.push([colour, edge, contrast(edge, "canvas")]);
    style.removeProperty(property);
  }
  probe.remove();
  return found;
}"""


async def unreadable(frame: Locator, name: str) -> list[object]:
    """What has too little contrast (WCAG 2.2, 1.4.3 and 1.4.11) with each of the awkward colours."""
    found: list[object] = await frame.evaluate(CONTRASTS, [name, AWKWARD, PAIRS, EDGES])
    return found


FACES = """(frame) => {
  const face = frame.appendChild(document.createElement("i"));
  face.className = "avatar";
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const luminance = colour => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (let hue = 0; hue < 360; hue += 5) {
    face.style.setProperty("--hue", hue);
    const {color, backgroundColor} = getComputedStyle(face);
    const [low, high] = [luminance(color), luminance(backgroundColor)].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) < 4.5) found.push(hue);
  }
  face.remove();
  return found;
}"""


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
async def test_one_colour_is_enough(opened: Open, theme: str) -> None:
    """With nothing set, with only an accent, and with only a background."""
    ada = await opened()
    await ada.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    frame = ada.page.locator(".frame")
    for name in ("--none", "--pychat-accent", "--pychat-background"):
        assert [] == await unreadable(frame, name), name
    assert [] == await frame.evaluate(FACES)


async def test_one_colour_is_enough_in_the_element(place: Place, visit: ClientSession) -> None:
    """The same where the element has the theme of its page, or one of its own."""
    host = await place(ChatRoom("lobby"))
    page = await visit(host.page('<pychat-room src="/chat/" theme="dark"></pychat-room>'))
    frame = page.locator("pychat-room .frame")
    await expect(frame.locator("[data-part=pill]")).to_have_attribute("data-state", "live")
    for theme in ("dark", "light"):
        await page.locator("pychat-room").evaluate("(box, theme) => box.setAttribute('theme', theme)", theme)
        for name in ("--pychat-accent", "--pychat-background"):
            assert [] == await unreadable(frame, name), (theme, name)


async def test_the_accent_of_the_chat(place: Place, visit: ClientSession) -> None:
    """The operator's colour and logo are on the page, and in the element unless its page sets another colour."""
    host = await place(Chat(ChatRoom("lobby"), accent="#7a2048", logo=LOGO))
    chat = await visit(f"{host.url}/chat/")
    boxes = (
        '<pychat-room src="/chat/" style="--pychat-accent: navy"></pychat-room><pychat-room src="/chat/"></pychat-room>'
    )
    page = await visit(host.page(boxes))
    for root, expected in (
        (chat.locator("body"), "rgb(122, 32, 72)"),
        (page.locator("pychat-room").first, "rgb(0, 0, 128)"),
        (page.locator("pychat-room").last, "rgb(122, 32, 72)"),
    ):
        button = root.locator("[data-part=name-button]")
        await root.locator("[data-part=name-input]").fill("Ada")
        await expect(button).to_be_enabled()
        await expect(button).to_have_css("background-color", expected)
        assert await root.locator("img.mark").evaluate("one => one.naturalWidth") > 0
