// Draws a 1-bit frame as an LED panel: one round lamp per bit on a whole number of device pixels, so that it is crisp.

const PANEL = "#0b0a09";
const LAMP_OFF = "#2b1d0d";
const LAMP_CORE = "#fff0c9";
const LAMP_ON = "#ffa81f";
const LAMP_EDGE = "#f08a00";
const GLOW = "255, 150, 20";

function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// Where a lamp's centre lies in its cell. At two pixels a centred disc would fill all four alike and the text would run
// together; off centre, one pixel is bright and the others are its edge.
function centreOf(pitch) {
  return pitch === 2 ? 0.7 : pitch / 2;
}

function disc(context, centre, radius, fill) {
  context.fillStyle = fill;
  context.beginPath();
  context.arc(centre, centre, radius, 0, 2 * Math.PI);
  context.fill();
}

// One unlit cell: the lamp's dark lens on the mask of the panel.
function unlitCell(pitch) {
  const cell = blank(pitch, pitch);
  const context = cell.getContext("2d");
  context.fillStyle = PANEL;
  context.fillRect(0, 0, pitch, pitch);
  disc(context, centreOf(pitch), Math.max(0.5, pitch * 0.36), LAMP_OFF);
  return cell;
}

// One lit lamp, three cells wide so that its glow falls on its neighbours.
function litLamp(pitch) {
  const lamp = blank(pitch * 3, pitch * 3);
  const context = lamp.getContext("2d");
  const centre = pitch + centreOf(pitch);
  const glow = context.createRadialGradient(centre, centre, pitch * 0.3, centre, centre, pitch * 1.4);
  glow.addColorStop(0, `rgba(${GLOW}, 0.30)`);
  glow.addColorStop(1, `rgba(${GLOW}, 0)`);
  context.fillStyle = glow;
  context.fillRect(0, 0, pitch * 3, pitch * 3);
  const radius = Math.max(0.7, pitch * 0.42);
  const body = context.createRadialGradient(centre, centre, 0, centre, centre, radius);
  body.addColorStop(0, LAMP_CORE);
  body.addColorStop(0.45, LAMP_ON);
  body.addColorStop(1, LAMP_EDGE);
  disc(context, centre, radius, body);
  return lamp;
}

/** Unpack base64 rows (MSB leftmost) into the indices of the lit LEDs, row-major. */
export function litLeds(frame, width, height) {
  const bytes = Uint8Array.from(atob(frame), (character) => character.charCodeAt(0));
  const stride = Math.ceil(width / 8);
  const lit = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if ((bytes[y * stride + (x >> 3)] >> (7 - (x & 7))) & 1) lit.push(y * width + x);
    }
  }
  return lit;
}

export class LedPanel {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.pitch = 0;
  }

  /** Take a size: LEDs across and down, device pixels per LED, device pixels per CSS pixel. */
  resize(columns, rows, pitch, ratio) {
    if (this.pitch === pitch && this.columns === columns && this.rows === rows && this.ratio === ratio) return false;
    Object.assign(this, { columns, rows, pitch, ratio });
    const { canvas } = this;
    canvas.width = columns * pitch;
    canvas.height = rows * pitch;
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    Object.assign(canvas.dataset, { columns, rows, pitch });
    this.lamp = litLamp(pitch);
    this.unlit = blank(canvas.width, canvas.height);
    const context = this.unlit.getContext("2d");
    context.fillStyle = context.createPattern(unlitCell(pitch), "repeat");
    context.fillRect(0, 0, canvas.width, canvas.height);
    return true;
  }

  /** Draw the lit LEDs (indices, row-major) over the dark panel. */
  draw(lit) {
    const context = this.canvas.getContext("2d");
    const { columns, pitch, lamp } = this;
    context.drawImage(this.unlit, 0, 0);
    for (const index of lit) {
      const x = index % columns;
      context.drawImage(lamp, (x - 1) * pitch, ((index - x) / columns - 1) * pitch);
    }
  }
}
