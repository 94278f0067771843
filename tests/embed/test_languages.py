"""Which language the page is in, and how words stand in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from pychat import Chat, ChatRoom, Request, UsageError
from pychat.hosts.mount import Mount
from pychat.net.http.response import Response
from pychat.room.directory import RoomDirectory
from pychat.web.assets import Assets
from pychat.web.site import Site
from pychat.web.words import Languages


def words_in(response: Response) -> dict[str, object]:
    """The words for the script of a page."""
    found = re.search(r"data-pychat-words>(.*?)</script>", response.body.decode(), re.DOTALL)
    assert found
    told: dict[str, object] = json.loads(found[1])
    return told


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with two languages of an app's own: one to be read from right to left, one for a region."""
    (tmp_path / "ur.json").write_text('{"log.newest": "</script><b>\\u2028 {x}"}', "utf-8")
    (tmp_path / "sv-FI.json").write_text('{"log.newest": "Till slutet"}', "utf-8")
    return tmp_path


async def ask(path: str = "/", *, site: Site, **headers: str) -> Response:
    """A GET with these headers; `language=` of the query is in the path."""
    path, _, language = path.partition("?language=")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    query = {"language": language} if language else {}
    return await site.respond(path, Request("GET", path, names, query, "127.0.0.1", "lobby", None), "chat.example")


@pytest.mark.parametrize(
    ("path", "headers", "tag"),
    [
        ("/", {}, "en"),
        ("/", {"accept_language": "ur"}, "ur"),
        ("/", {"accept_language": "UR-pk, en"}, "ur"),
        ("/", {"accept_language": "en;q=0.3, xx, ur;q=0.8"}, "ur"),
        ("/", {"accept_language": "ur;q=0, sv;q=nonsense, sv-fi"}, "sv-FI"),
        ("/", {"accept_language": "tlh, *;q=0.5"}, "en"),
        ("/", {"accept_language": "ur", "cookie": "a=b; pychat-language=en"}, "en"),
        ("/", {"accept_language": "ur", "cookie": "pychat-language=../../etc"}, "ur"),
        ("/part?language=sv-FI", {"accept_language": "ur", "cookie": "pychat-language=ur"}, "sv-FI"),
        ("/?language=tlh", {"accept_language": "ur"}, "ur"),
    ],
)
async def test_a_reader_gets_their_language(own: Path, path: str, headers: dict[str, str], tag: str) -> None:
    """The address says it, or the choice of the reader in a cookie, or the browser with its weights, or the chat."""
    site = Site(RoomDirectory(ChatRoom()), languages=own)
    response = await ask(path, site=site, **headers)
    assert response.headers["Content-Language"] == tag == words_in(response)["language"]
    assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].split(", "))


async def test_the_chat_has_a_language_for_all_others(own: Path) -> None:
    """Its setting is for those whose language there is not; what that language lacks is in English."""
    for mount in (
        Mount([Chat(ChatRoom(), language="sv-FI", languages=own)], "asgi"),
        Mount([ChatRoom()], "asgi", language="sv-FI", languages=own),
    ):
        request = mount.request("GET", "/", "/", "127.0.0.1", {"accept-language": "tlh"}, {}, None)
        told = words_in(await mount.respond("/", request, "127.0.0.1"))
        assert told["language"] == "sv-FI"
        words = told["words"]
        assert isinstance(words, dict)
        assert (words["log.newest"], words["common.try-again"]) == ("Till slutet", "Try again")


async def test_a_page_has_the_words_that_its_scripts_need_at_once() -> None:
    """The element has words of its own. Refusals need none in English, which the server says them in; German does."""
    site = Site(RoomDirectory(ChatRoom()))
    page, german, element = [
        words_in(await ask(path, site=site))["words"]
        for path in ("/?language=en", "/?language=de", "/part?language=en")
    ]
    assert isinstance(page, dict)
    assert isinstance(german, dict)
    assert isinstance(element, dict)
    assert "log.newest" in page
    assert {key.partition(".")[0] for key in element} - {key.partition(".")[0] for key in page} == {"element"}
    assert {key.partition(".")[0] for key in german} - {key.partition(".")[0] for key in page} == {"error"}


async def test_words_cannot_end_the_script_that_they_stand_in(own: Path) -> None:
    """They are JSON without a less-than sign, whatever a catalogue holds."""
    response = await ask("/?language=ur", site=Site(RoomDirectory(ChatRoom()), languages=own))
    words = words_in(response)["words"]
    assert isinstance(words, dict)
    assert words["log.newest"] == "</script><b>\u2028 {x}"


async def test_each_language_has_its_own_tag_and_nobody_makes_more_pages(own: Path) -> None:
    """A page in another language has another ETag; names of languages that there are not make no page to keep."""
    site = Site(RoomDirectory(ChatRoom()), languages=own)
    tags = {(await ask(f"/?language={tag}", site=site)).headers["ETag"] for tag in ("en", "ur", "sv-FI")}
    before = len(site._page._rendered)
    for number in range(50):
        tags.add((await ask(f"/?language=x{number}", site=site)).headers["ETag"])
    assert (len(tags), len(site._page._rendered)) == (3, before)
    again = await ask("/?language=ur", site=site, if_none_match=(await ask("/?language=ur", site=site)).headers["ETag"])
    assert again.status == 304


async def test_words_alone(own: Path) -> None:
    """All words of a language as JSON, which any page may read. A page has only those that it needs at once."""
    site = Site(RoomDirectory(ChatRoom()), languages=own)
    response = await ask("/words.json?language=sv-FI", site=site)
    told = json.loads(response.body)
    page = words_in(await ask("/?language=sv-FI", site=site))
    at_once = page["words"]
    assert isinstance(at_once, dict)
    assert page["more"] == "words.json?language=sv-FI"
    assert "moderation.queue" in told["words"].keys() - at_once.keys()
    assert at_once.items() <= told["words"].items()
    assert told["language"] == "sv-FI"
    assert {"en", "sv-FI", "ur"} <= set(told["languages"])
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_values_in_templates_are_escaped(own: Path) -> None:
    """Words and values are text; only a value that is markup stays markup. Names without a value are a mistake."""
    (own / "ur.json").write_text('{"element.again-in": "<i>{duration}"}', "utf-8")
    language = Site(RoomDirectory(ChatRoom()), languages=own)._languages.all["ur"]
    assert language.direction == "rtl"
    assert language.t("element.again-in", duration="<b>") == "&lt;i&gt;&lt;b&gt;"
    assert language.t("element.again-in", duration=Markup("<b>3</b>")) == "&lt;i&gt;<b>3</b>"
    with pytest.raises(KeyError):
        language.t("element.again-in")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("sv.json", "{", "not JSON"),
        ("sv.json", "[]", "not an object"),
        ("sv.json", '{"element.opening": 3}', "neither a text"),
        ("sv.json", '{"unread.messages": {"one": "x"}}', "neither a text"),
        ("Swedish words.json", "{}", "not named after a language"),
    ],
)
def test_a_wrong_catalogue_is_told_at_the_start(tmp_path: Path, name: str, text: str, told: str) -> None:
    """With the name of the file, not when somebody of that language comes."""
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=told):
        Mount([ChatRoom()], "asgi", languages=tmp_path)


def test_a_language_or_a_folder_that_there_is_not(tmp_path: Path) -> None:
    """The refusal lists the languages that there are."""
    with pytest.raises(UsageError, match=r"no language “tlh”. There are: .*en"):
        Mount([ChatRoom()], "asgi", language="tlh")
    with pytest.raises(UsageError, match="no directory of languages"):
        Mount([ChatRoom()], "asgi", languages=tmp_path / "none")


async def test_long_tags_take_no_time() -> None:
    """A language that a reader names takes as many steps as a tag can have parts, however long it and the list are."""

    class Counted(dict[str, Any]):
        count = 0

        def __contains__(self, name: object) -> bool:
            self.count += 1
            return super().__contains__(name)

    languages = Languages(Assets(dev=True).folder)
    languages._by_name = Counted(languages._by_name)
    for name in ("a-" * 32_000, ",".join(["x"] * 32_000), ",".join(["a-" * 17] * 1_000)):
        for given in ({"accept-language": name}, {"cookie": f"pychat-language={name}"}):
            languages.of(Request("GET", "/", given, {"language": name}, "127.0.0.1", "lobby", None))
    assert languages._by_name.count < 2_000
