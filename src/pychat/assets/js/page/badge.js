/** A dot on the icon of the tab while something is unread, and a number on the icon of an installed app. */

const SIZE = 64;
const COLOURS = { messages: "#98a7a1", mentions: "#d6453a" };

/** @returns {(unread: {messages: number, mentions: number}) => void} shows what is unread */
export function badge() {
  const link = document.querySelector("link[rel~='icon']");
  const plain = link?.href;
  let shown = "";

  async function draw(kind) {
    const image = new Image(SIZE, SIZE);
    image.src = plain;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
    const pen = canvas.getContext("2d");
    const circle = (radius) => {
      pen.beginPath();
      pen.arc(SIZE * 0.74, SIZE * 0.26, radius, 0, 2 * Math.PI);
      pen.fill();
    };
    pen.drawImage(image, 0, 0, SIZE, SIZE);
    // The dot has an edge of nothing, so that it stands out from any icon.
    pen.globalCompositeOperation = "destination-out";
    circle(SIZE * 0.3);
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = COLOURS[kind];
    circle(SIZE * 0.24);
    return canvas.toDataURL("image/png");
  }

  return async ({ messages, mentions }) => {
    if (messages) navigator.setAppBadge?.(messages).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    const kind = mentions ? "mentions" : messages ? "messages" : "";
    if (!link || kind === shown) return;
    shown = kind;
    if (!kind) return void (link.href = plain);
    try {
      const drawn = await draw(kind);
      if (shown === kind) link.href = drawn;
    } catch {
      // The icon is not ours to draw on.
    }
  };
}
