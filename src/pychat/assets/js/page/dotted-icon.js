/** The icon of the tab with a dot. */

const SIZE = 64;
const COLOURS = { messages: "#98a7a1", mentions: "#d6453a" };

/** @param {string} plain the address of the icon @param {"messages" | "mentions"} kind @returns {Promise<string>} */
export async function dotted(plain, kind) {
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
