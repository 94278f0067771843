"""Words that attack a page, and the watch over a page that shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page

from pychat import Refused

__all__ = ["ATTACKS", "NAMES", "WATCH", "accepted", "harm"]

#: Each would call `alert`, break the page apart, or lead to a script, if some part of it were taken for markup.
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script href=data:,alert(1) />",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '"><script>alert(1)</script>',
    "'\"--></style></script></template></noscript></title></textarea><img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "</li></ol></div><form action=javascript:alert(1)><button autofocus>x",
    "<a href='javascript:alert(1)'>a</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<b/style=position:fixed;inset:0>all</b>",
    "<base href=//evil.test/><meta http-equiv=refresh content='0;url=//evil.test'>",
    "&lt;img src=x onerror=alert(1)&gt; &#60;script>alert(1)&#60;/script>",
    "{{ 7*7 }} {% raw %} ${alert(1)} #{7*7} <%= 7*7 %>",
    "javascript:alert(1)",
    "JaVaScRiPt://example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1) blob:x filesystem:x view-source:x",
    "[a](javascript:alert(1))",
    "[a](JAVASCRIPT&colon;alert(1)) [b](java\tscript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    '[a](https://example.com" onmouseover="alert(1))',
    "[a](<https://example.com/> 'x' onclick=alert(1))",
    "[https://bank.example](https://evil.test/)",
    "![a](x' onerror='alert(1))",
    "![a](https://evil.test/pixel.png)",
    "<javascript:alert(1)> <https://example.com/onclick=alert(1)>",
    "**<img src=x onerror=alert(1)>** _<script>alert(1)</script>_ ~~<svg/onload=alert(1)>~~",
    "`<img src=x onerror=alert(1)>`",
    "```html\n<img src=x onerror=alert(1)>\n</code></pre><script>alert(1)</script>\n```",
    '```"onmouseover="alert(1)\nx\n```',
    "> <img src=x onerror=alert(1)>\n> > <script>alert(1)</script>",
    "- <svg/onload=alert(1)>\n- [a](javascript:alert(1))",
    'https://example.com/"onmouseover="alert(1)',
    "https://example.com/<img/src=x/onerror=alert(1)>",
    "https://user:javascript@evil.test/ evil.test/'onclick='alert(1)",
    "example.com/javascript:alert(1) javascript.com:alert(1)",
    ":smile: :<img src=x onerror=alert(1)>: :__proto__: :constructor:",
    "/me <img src=x onerror=alert(1)>",
    "@<img src=x onerror=alert(1)> @__proto__",
    "__proto__",
)

#: The same, where little room is. Longest: 32 characters.
NAMES = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    '"><svg/onload=alert(1)>',
    "'onfocus='alert(1)' autofocus='",
    "</title><svg/onload=alert(1)>",
    "</script><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "&lt;svg/onload=alert(1)&gt;",
    "[a](javascript:alert(1))",
    "constructor",
)

#: Runs before all scripts of a page, and remembers what they should never do.
WATCH = """
  window.harmed = [];
  for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = (...what) => void harmed.push(`${name}(${what})`);
  const report = ({effectiveDirective, blockedURI, sourceFile, lineNumber, sample}) =>
    harmed.push(`policy: ${effectiveDirective} ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`);
  document.addEventListener("securitypolicyviolation", report);
"""

_LOOK = """() => {
  const found = [...(window.harmed ?? [])];
  const roots = [document];
  for (const root of roots) for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) roots.push(element.shadowRoot);
    if (element instanceof HTMLTemplateElement) roots.push(element.content);
    const name = element.localName;
    const foreign = (address) => {
      const url = URL.parse(address, document.baseURI);
      return url && !(["http:", "https:", "mailto:"].includes(url.protocol) || (url.protocol === "data:" && ["img", "link"].includes(name)));
    };
    for (const {name: key, value} of element.attributes) {
      if (key.startsWith("on") || key === "srcdoc") found.push(`${name} ${key}=${value}`);
      if (["href", "src", "action", "formaction", "xlink:href", "data"].includes(key) && foreign(value)) found.push(`${name} ${key}=${value}`);
      if (["src", "data", "poster"].includes(key) && value.includes("evil.test")) found.push(`${name} ${key}=${value}`);
    }
    if (["iframe", "object", "embed", "base", "frame", "applet", "math", "mglyph"].includes(name)) found.push(name);
    if (name === "script" && !element.src && !/json/.test(element.type)) found.push(`script: ${element.textContent.slice(0, 60)}`);
    if (name === "meta" && element.httpEquiv === "refresh") found.push("meta refresh");
    if (name === "img" && element.getAttribute("src") === "x") found.push("img");
  }
  return found;
}"""


async def harm(page: Page) -> list[str]:
    """What stands on the page and should not, and what happened since it was loaded."""
    found: list[str] = await page.evaluate(_LOOK)
    return found


async def accepted(do: Callable[[str], Awaitable[Any]], words: tuple[str, ...] = ATTACKS) -> list[str]:
    """Do it with each of the words; return those that the room did not refuse, which keeps the promise too."""
    taken = []
    for each in words:
        try:
            await do(each)
        except Refused:
            continue
        taken.append(each)
    return taken
