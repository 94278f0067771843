"""Push messages in a real browser: asked for in the settings, encrypted for it, and shown by the service worker."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from pychat import Chat, ChatRoom
from pychat.net.web_push import WebPush
from pychat.stores import PushSubscription
from tests.browser.conftest import Open, Place
from tests.push.service import push_service

#: What stands for the push service of Chromium, which tests cannot reach: the browser's subscription is the given one.
_SUBSCRIBED = """(given) => {
  let current = null;
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) =>
    (current = {
      endpoint: given.endpoint,
      options: { applicationServerKey: applicationServerKey.buffer },
      toJSON: () => given,
      unsubscribe: async () => ((current = null), true),
    });
}"""


async def test_somebody_who_closed_the_page_is_told(place: Place, opened: Open, tmp_path: Path) -> None:
    """From the switch in the settings to the notification, whose address is that of the message."""
    lobby = ChatRoom("lobby", title="The lobby")
    chat = Chat(lobby, push="mailto:ops@example.com")
    host = await place(chat)
    async with push_service(tmp_path / "tls") as service:
        chat.directory.push.sender = WebPush("mailto:ops@example.com", [service.host], tls=service.tls)
        browser = service.browser("ada")
        ada = await opened("Ada", url=f"{host.url}/chat/")
        await ada.page.context.grant_permissions(["notifications"])
        await ada.page.evaluate(f"({_SUBSCRIBED})({json.dumps(browser.subscription)})")
        await ada.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await ada.part("settings-button").click()
        switch = ada.page.get_by_label("Messages while this page is closed")
        await expect(switch).not_to_be_checked()
        await switch.check()
        await expect(switch).to_be_enabled()
        await expect(switch).to_be_checked()
        [subscription] = await _kept(chat, ada_id := await ada.page.evaluate(_MY_ID))
        assert subscription.endpoint == browser.endpoint

        elsewhere = await ada.page.context.new_page()  # of the same origin, but not of the chat
        await elsewhere.goto(f"{host.url}/elsewhere")
        await ada.page.close()
        async with asyncio.timeout(15):
            while lobby.backend.here:
                await asyncio.sleep(0.02)
        await lobby.post("/me misses @Ada", author="Ben")
        _, told = await service.next()

        cdp = await ada.page.context.new_cdp_session(elsewhere)
        updates: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        cdp.on("ServiceWorker.workerRegistrationUpdated", updates.put_nowait)
        await cdp.send("ServiceWorker.enable")
        async with asyncio.timeout(15):
            [registration] = (await updates.get())["registrations"]
        await cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": host.url, "registrationId": registration["registrationId"], "data": json.dumps(told)},
        )
        await elsewhere.wait_for_function(f"{_SHOWN}.then(shown => shown.length === 1)")
        [shown] = await elsewhere.evaluate(_SHOWN)
        assert shown == {
            "title": "Ben · The lobby",
            "body": "Ben misses @Ada",
            "url": f"{host.url}/chat/rooms/lobby#m1",
        }
        assert await _kept(chat, ada_id)


async def _kept(chat: Chat, member_id: str) -> tuple[PushSubscription, ...]:
    store = chat.directory.readers.store
    assert store is not None
    assert store.push is not None
    return await store.push.of(member_id)


_MY_ID = "JSON.parse(Object.entries(localStorage).find(([key]) => key.endsWith(':person'))[1]).id"
_SHOWN = """navigator.serviceWorker.getRegistration("/chat/").then((one) => one.getNotifications())
  .then((all) => all.map(({ title, body, data }) => ({ title, body, url: data.url })))"""
