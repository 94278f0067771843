"""`<pychat-room>`: a room in a box on a page that is not pychat's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from pychat import ChatRoom
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import STRICT, Host, box
from tests.browser.server import Server
from tests.browser.window import Window

ONE = '<pychat-room src="/chat/" room="lobby"></pychat-room>'
TWO = """
<pychat-room id="a" src="/chat/" room="lobby"></pychat-room>
<pychat-room id="b" src="/chat/" room="den"></pychat-room>
"""
HOSTILE = """<style>
  html { font-size: 62.5%; }
  * { color: red !important; font: 40px/3 serif !important; letter-spacing: 9px !important; text-transform: uppercase !important;
      text-align: right !important; height: auto !important; padding: 9px !important; box-sizing: content-box !important; }
  button, input, textarea, form, dialog, .message, .app { display: none !important; }
  [hidden] { display: block !important; }
  svg { fill: red !important; width: 300px !important; }
  :root { --accent: red; --size: 99px; --canvas: red; }
</style>"""


async def test_one_script_tag_and_one_element_are_a_chat(host: Host, visit: ClientSession) -> None:
    """People in boxes on pages and people on the chat's own page talk to each other."""
    ada = box(await visit(host.page(f"<h1>Ours</h1>{ONE}")))
    bob = Window(await visit(f"{host.url}/chat/"), "")
    await ada.join("Ada")
    await bob.join("Bob")
    await ada.say("from a box")
    await bob.say("from the page")
    for person in (ada, bob):
        await person.sees("from a box", "from the page")
    await expect(ada.root.get_by_role("heading", name="The lobby")).to_be_visible()
    assert "Host" == await ada.page.title()


async def test_the_page_around_keeps_what_is_its_own(host: Host, visit: ClientSession) -> None:
    """No global, no element, no focus and no key of the page is taken; landmarks and headings stay one."""
    page = await visit(host.page(f'<input id="own"><main>{ONE}</main>', script=""))
    before = await page.evaluate("Object.getOwnPropertyNames(window).sort()")
    await page.evaluate("import('/chat/pychat-room.js')")
    ada = box(page)
    await ada.live()
    await expect(ada.part("name-input")).to_be_visible()
    assert before == await page.evaluate("Object.getOwnPropertyNames(window).sort()")
    assert "BODY" == await page.evaluate("document.activeElement.tagName")
    assert 2 == await page.evaluate(
        "document.body.querySelectorAll('*').length - document.querySelectorAll('main').length"
    )
    await page.locator("#own").press("Control+k")
    await page.locator("#own").press("/")
    await expect(page.locator("#own")).to_have_value("/")
    await expect(ada.part("finder")).to_be_hidden()
    for landmark in ("main", "banner"):
        assert await page.get_by_role(landmark).count() == (landmark == "main")
    await expect(page.get_by_role("region", name="The lobby")).to_be_visible()


async def test_keys_that_are_typed_in_the_room_are_none_of_the_page(host: Host, visit: ClientSession) -> None:
    """The page's own shortcuts hear nothing of what is written in the box, nor of the room's search; Escape they hear."""
    page = await visit(host.page(ONE))
    ada = box(page)
    await ada.join("Ada")
    await page.evaluate("globalThis.heard = []; addEventListener('keydown', ({ key }) => heard.push(key))")
    await ada.part("text").press_sequentially("k/")
    await ada.part("text").press("Control+k")
    await expect(ada.part("finder")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(ada.part("finder")).to_be_hidden()
    await ada.part("text").press("Escape")
    heard = await page.evaluate("heard")
    assert {"Control", "Escape"} == set(heard)


async def test_two_rooms_on_one_page_do_not_meet(host: Host, visit: ClientSession) -> None:
    """Each has its own people, words, drafts and name, also after a reload, and its own keys where the focus is."""
    page = await visit(host.page(TWO))
    a, b = box(page, "#a"), box(page, "#b")
    await a.join("Ada")
    await b.join("Beatrice")
    await a.say("in the lobby")
    await b.say("in the den")
    await a.sees("in the lobby")
    await b.sees("in the den")
    await a.part("text").fill("a draft")
    await page.reload()
    await expect(a.part("me-name")).to_have_text("Ada")
    await expect(b.part("me-name")).to_have_text("Beatrice")
    await expect(a.part("text")).to_have_value("a draft")
    await expect(b.part("text")).to_have_value("")
    await b.part("text").press("Control+k")
    await expect(b.part("finder")).to_be_visible()
    await expect(a.part("finder")).to_be_hidden()


async def test_styles_of_the_page_do_not_get_in(host: Host, visit: ClientSession) -> None:
    """Under a style sheet that resets, hides and colours everything, the room looks and works as it does without."""
    looks = """one => ["color", "fontSize", "fontFamily", "letterSpacing", "textTransform", "lineHeight", "backgroundColor",
                       "textAlign", "width", "height"].map(name => getComputedStyle(one)[name])"""
    seen = []
    for head in ("", HOSTILE):
        ada = box(await visit(host.page(f'<div style="width:600px">{ONE}</div>', head=head)))
        await ada.join("Ada" if head else "Bob")
        text = "hi there" if head else "hi, you"
        await ada.say(text)
        await ada.has_sent(text)
        parts = [ada.message(text).locator(".text"), ada.part("text"), ada.part("send"), ada.part("search-button")]
        seen.append([await part.evaluate(looks) for part in parts])
        await ada.rename("Countess" if head else "Count")
        await expect(ada.part("me-name")).to_have_text("Countess" if head else "Count")
        await expect(ada.message(text)).to_be_in_viewport(ratio=1)
    assert [look[:8] for look in seen[0]] == [look[:8] for look in seen[1]]
    assert seen[0][3] == seen[1][3]


async def test_light_and_dark_are_those_of_the_page(host: Host, visit: ClientSession) -> None:
    """The box follows the page's `color-scheme`; `theme` decides otherwise, and `auto` asks the system."""
    paper = "one => getComputedStyle(one.shadowRoot.querySelector('.frame')).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(19, 24, 24)"
    page = await visit(host.page(ONE), color_scheme="dark")
    await box(page).live()
    element = page.locator("pychat-room")
    assert light == await element.evaluate(paper)
    await page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    assert dark == await element.evaluate(paper)
    for theme, colour in (("light", light), ("dark", dark), ("auto", dark)):
        await element.evaluate("(one, theme) => (one.theme = theme)", theme)
        assert colour == await element.evaluate(paper)
    await page.emulate_media(color_scheme="light")
    assert light == await element.evaluate(paper)


async def test_colours_fonts_and_parts_can_be_changed(host: Host, visit: ClientSession) -> None:
    """Custom properties of the page reach in, and so does `::part()`."""
    style = """<style>
      pychat-room { --pychat-accent: rgb(10 20 200); --pychat-background: rgb(250 240 230); --pychat-font: monospace;
                    --pychat-font-size: 20px; --pychat-radius: 3px; }
      pychat-room::part(header) { display: none; }
    </style>"""
    page = await visit(host.page(ONE, head=style))
    ada = box(page)
    await ada.join("Ada")
    await ada.say("hi")
    await ada.has_sent("hi")
    await ada.part("text").fill("more")
    await page.mouse.move(0, 0)
    await expect(ada.root.locator(".top")).to_be_hidden()
    await expect(ada.part("send")).to_have_css("background-color", "rgb(10, 20, 200)")
    await expect(ada.root.locator(".frame")).to_have_css("background-color", "rgb(250, 240, 230)")
    await expect(ada.root.locator(".frame")).to_have_css("font-size", "20px")
    await expect(ada.root.locator(".text")).to_have_css("border-end-start-radius", "3px")
    await expect(ada.part("text")).to_have_css("font-family", "monospace")


async def test_a_box_of_any_size_holds_all_that_is_needed(host: Host, visit: ClientSession) -> None:
    """In a narrow low box everything is in sight and nothing sticks out; in a wide one people are listed beside."""
    page = await visit(
        host.page(
            '<div id="narrow" style="width:320px;height:420px"><pychat-room src="/chat/" style="height:100%"></pychat-room></div>'
            '<div id="wide" style="width:980px"><pychat-room src="/chat/"></pychat-room></div>'
        )
    )
    narrow, wide = box(page, "#narrow"), box(page, "#wide")
    await narrow.join("Ada")
    await narrow.say("W" * 300)
    await narrow.has_sent("W" * 300)
    outer = await page.locator("#narrow").bounding_box()
    assert outer is not None
    for part in ("text", "send", "people-button", "search-button", "me-button"):
        inner = await narrow.part(part).bounding_box()
        assert inner is not None
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
    await expect(wide.part("people")).to_be_visible()
    await expect(narrow.part("people")).to_be_hidden()
    await narrow.part("people-button").click()
    await expect(narrow.root.locator(".person-name")).to_have_text(["Ada"])
    sheet = await narrow.part("people-dialog").bounding_box()
    assert sheet is not None
    assert (outer["x"], outer["y"]) <= (sheet["x"], sheet["y"])
    assert sheet["height"] <= outer["height"]


async def test_a_page_can_listen_and_speak(host: Host, visit: ClientSession) -> None:
    """Events, `say()` and `client` are the room in the page's own script; events do not wander up the page."""
    page = await visit(host.page('<pychat-room src="/chat/" room="den" name="Ada"></pychat-room>', script=""))
    told = await page.evaluate(
        """async () => {
          const room = document.querySelector("pychat-room");
          const heard = [];
          const up = [];
          for (const type of ["message", "joined", "status"]) {
            room.addEventListener(type, ({ detail }) => heard.push([type, detail.text ?? detail.name]));
            document.addEventListener(type, () => up.push(type));
          }
          const joined = new Promise((resolve) => room.addEventListener("joined", resolve, { once: true }));
          await import("/chat/pychat-room.js");
          await joined;
          const { seq } = await room.say("said by the page");
          return { heard, up, seq, state: room.client.state.name, status: room.status.name, me: room.client.me.name };
        }"""
    )
    assert {
        "heard": [["status", "connecting"], ["status", "live"], ["joined", "Ada"], ["message", "said by the page"]],
        "up": [],
        "seq": 1,
        "state": "live",
        "status": "live",
        "me": "Ada",
    } == told
    await expect(box(page).part("nickname-form")).to_be_hidden()


async def test_attributes_can_change(host: Host, visit: ClientSession) -> None:
    """Another `room` opens that room, another `name` renames, a `placeholder` stands in the box."""
    page = await visit(host.page('<pychat-room src="/chat/" room="lobby" name="Ada"></pychat-room>'))
    ada = box(page)
    await expect(ada.part("me-name")).to_have_text("Ada")
    await page.evaluate("document.querySelector('pychat-room').name = 'Countess'")
    await expect(ada.part("me-name")).to_have_text("Countess")
    await page.evaluate("document.querySelector('pychat-room').placeholder = 'Ask us'")
    await expect(ada.part("text")).to_have_attribute("placeholder", "Ask us")
    await page.evaluate(
        "Object.assign(document.querySelector('pychat-room'), { room: 'den', src: `${location.origin}/chat` })"
    )
    await expect(ada.root.locator(".title")).to_have_text("The den")
    await expect(ada.part("me-name")).to_have_text("Countess")
    await expect(ada.part("text")).to_have_attribute("placeholder", "Ask us")


async def test_addresses_are_those_of_the_document(host: Host, visit: ClientSession) -> None:
    """`src` is taken from the page's `<base>`, as other addresses are; left out, it is where the script came from."""
    page = await visit(
        host.page(
            '<pychat-room id="a" src="../chat"></pychat-room><pychat-room id="b"></pychat-room>',
            head='<base href="/deep/">',
        )
    )
    await box(page, "#a").live()
    await box(page, "#b").live()


async def test_a_name_that_cannot_be_had_is_asked_for(host: Host, visit: ClientSession) -> None:
    """Where the page gives a name that is taken, the person is told, and chooses another."""
    await box(await visit(host.page(ONE))).join("Ada")
    other = box(await visit(host.page('<pychat-room src="/chat/" room="lobby" name="Ada"></pychat-room>')))
    await expect(other.part("name-error")).to_be_visible()
    await other.join("Beatrice")
    await expect(other.part("me-name")).to_have_text("Beatrice")


async def test_it_can_be_moved_taken_out_and_put_back(place: Place, visit: ClientSession) -> None:
    """Moved, it stays connected; taken out, it leaves the room; put back, it comes again as the same person."""
    room = ChatRoom("lobby")
    host = await place(room)
    page = await visit(host.page(f'<section id="here"></section>{ONE}'))
    ada = box(page)
    await ada.join("Ada")
    same = await page.evaluate(
        """async () => {
          globalThis.box = document.querySelector("pychat-room");
          const { client } = box;
          document.querySelector("#here").append(box);
          await new Promise((resolve) => setTimeout(resolve));
          return client === box.client && client.state.name;
        }"""
    )
    assert "live" == same
    gone = await page.evaluate(
        """async () => {
          const { client } = box;
          box.remove();
          await new Promise((resolve) => setTimeout(resolve));
          return [client.state.name, box.client, box.status.name];
        }"""
    )
    assert ["closed", None, "closed"] == gone
    bob = Window(await visit(f"{host.url}/chat/"), "")
    await expect(bob.part("panel-count")).to_have_text("1")
    await page.evaluate("document.body.append(box)")
    await expect(ada.part("me-name")).to_have_text("Ada")
    await expect(bob.root.locator(".person-name")).to_have_text(["Ada"])


async def test_what_is_wrong_is_said_in_the_box_and_on_the_console(host: Host, visit: ClientSession) -> None:
    """A room that is not there and an address without a chat are told in plain words; the console says what to do."""
    page = await visit(
        host.page(
            '<pychat-room id="a" src="/chat/" room="attic"></pychat-room>'
            '<pychat-room id="b" src="/nothing/" room="x"></pychat-room><pychat-room id="c" src="http://"></pychat-room>',
            script="",
        ),
        "404",
        "<pychat-room",
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.evaluate("import('/chat/pychat-room.js')")
    await expect(page.locator("#a").get_by_role("status")).to_contain_text("There is no such room")
    await expect(page.locator("#b").get_by_role("status")).to_contain_text("The chat is not here")
    await expect(page.locator("#c").get_by_role("status")).to_contain_text("The chat is not here")
    told = "\n".join(said)
    assert '<pychat-room src="/chat/" room="attic">: There is no room of that name here. There are: lobby, den.' in told
    assert f'<pychat-room src="/nothing/" room="x">: There is no pychat at {host.url}/nothing/' in told
    assert '“http://” is no address; write src="/chat/"' in told
    await page.evaluate("document.querySelector('#a').room = 'den'")
    await expect(page.locator("#a .title")).to_have_text("The den")


async def test_a_server_that_is_away_is_waited_for(
    place: Place, visit: ClientSession, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """A box whose server is down says so, and opens when it is up, at once for whoever presses the button."""
    host = await place(ChatRoom("lobby"))
    away = await serve(Server(prefix="/", allowed_origins="*"))
    await away.stop()
    page = await visit(host.page(f'<pychat-room src="{away.url}"></pychat-room>'), "net::ERR_", "cannot reach")
    notice = page.locator("pychat-room").get_by_role("status")
    await expect(notice).to_contain_text("The chat cannot be reached")
    await away.restart()
    await notice.get_by_role("button", name="Try now").or_(page.locator("[data-part=pill]")).first.click()
    await box(page).live()


async def test_a_page_with_a_strict_policy_can_have_it(place: Place, visit: ClientSession) -> None:
    """Under a Content-Security-Policy that allows the chat's address and nothing else, and with Trusted Types, all works."""
    host = await place(ChatRoom("lobby"))
    page = await visit(host.page(ONE, Content_Security_Policy=STRICT.format("'self'", "")))
    ada = box(page)
    await ada.join("Ada")
    await ada.say("https://example.com 🎉")
    await ada.has_sent("https://example.com 🎉")
    await ada.rename("Countess")
    await ada.do("https://example.com 🎉", "react")
    await page.get_by_role("button", name="Fire").click()
    await expect(ada.root.locator(".reaction")).to_have_count(1)


async def test_files_are_cached_for_good_behind_an_address_that_stays(host: Host, visit: ClientSession) -> None:
    """The one address to write into a page is asked for again; all that it loads is under a hash, and not."""
    page = await visit(host.page(ONE))
    await box(page).live()
    loaded = await page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)")
    plain = {path for path in loaded if "/assets/" not in path}
    assert {"/chat/pychat-room.js", "/chat/part"} == {path for path in plain if "socket.io" not in path}
    asked = await page.evaluate("fetch('/chat/pychat-room.js').then(one => one.headers.get('cache-control'))")
    assert "must-revalidate" in asked
    hashed = next(path for path in loaded if "/assets/" in path)
    kept = await page.evaluate("path => fetch(path).then(one => one.headers.get('cache-control'))", hashed)
    assert "immutable" in kept
