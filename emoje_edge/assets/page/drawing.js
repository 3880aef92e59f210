// What is drawn: skeletons of those in view, and the last minutes as one mark a row.

export const EMOTIONS = {
  anger: "#D55E00", disgust: "#009E73", fear: "#CC79A7", joy: "#F0E442",
  neutral: "#9A9A9A", sadness: "#0072B2", surprise: "#56B4E9",
};
export const MODALITIES = { text: "#E69F00", audio: "#7FC8F8", pose: "#B7E3A1" };
const PEOPLE = ["#F2F2F2", "#7FC8F8", "#E69F00", "#B7E3A1", "#CC79A7"];
const BONES = [[1, 2], [1, 3], [3, 5], [2, 4], [4, 6], [1, 7], [2, 8], [7, 8], [7, 9], [9, 11], [8, 10], [10, 12]];
const SEEN = 0.5;
export const MINUTES = 3;

export function colourOf(emotion) {
  return EMOTIONS[emotion] ?? "#777777";
}

function fitted(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  return { pen, width, height, scale };
}

// people: a list of 13 joints [x, y, visibility], x and y in shares of the picture; aspect: its width over its height
export function drawBodies(canvas, people, aspect) {
  const { pen, width, height, scale } = fitted(canvas);
  const shown = Math.min(width / aspect, height);
  const left = (width - shown * aspect) / 2;
  const top = (height - shown) / 2;
  const at = ([x, y]) => [left + x * shown * aspect, top + y * shown];
  pen.lineCap = pen.lineJoin = "round";
  people.forEach((joints, person) => {
    pen.strokeStyle = pen.fillStyle = PEOPLE[person % PEOPLE.length];
    pen.lineWidth = 3.2 * scale;
    for (const [a, b] of BONES) {
      if (joints[a][2] < SEEN || joints[b][2] < SEEN) continue;
      pen.beginPath();
      pen.moveTo(...at(joints[a]));
      pen.lineTo(...at(joints[b]));
      pen.stroke();
    }
    drawHead(pen, joints, at, scale);
  });
}

function drawHead(pen, joints, at, scale) {
  if (joints[0][2] < SEEN) return;
  const [x, y] = at(joints[0]);
  const both = joints[1][2] >= SEEN && joints[2][2] >= SEEN;
  const [ax, ay] = at(joints[1]);
  const [bx, by] = at(joints[2]);
  const radius = both ? Math.max(0.26 * Math.hypot(ax - bx, ay - by), 5 * scale) : 8 * scale;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
  if (both) {
    const [nx, ny] = [(ax + bx) / 2, (ay + by) / 2];
    const far = Math.hypot(nx - x, ny - y) || 1;
    pen.beginPath();
    pen.moveTo(x + ((nx - x) * radius) / far, y + ((ny - y) * radius) / far);
    pen.lineTo(nx, ny);
    pen.stroke();
  }
}

// time of which nothing is known: slanted lines
function hatch(pen, left, right, height, scale) {
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, right - left, height);
  pen.clip();
  pen.globalAlpha = 0.35;
  pen.strokeStyle = "#C98A2B";
  pen.lineWidth = 1.5 * scale;
  for (let at = left - height; at < right; at += 7 * scale) {
    pen.beginPath();
    pen.moveTo(at, height);
    pen.lineTo(at + height, 0);
    pen.stroke();
  }
  pen.restore();
}

// rows: {start, end, emotion, confidence}; gaps: {start, end}; now: s.  A mark's height is how sure the answer is.
export function drawTimeline(canvas, rows, gaps, now) {
  const { pen, width, height, scale } = fitted(canvas);
  const seconds = MINUTES * 60;
  const begin = Math.max(0, now - seconds);
  const x = (time) => ((time - begin) / seconds) * width;
  const ink = getComputedStyle(canvas).color;
  pen.font = `${11 * scale}px system-ui, sans-serif`;
  pen.textBaseline = "top";
  for (let minute = Math.ceil(begin / 60); minute * 60 <= begin + seconds; minute += 1) {
    pen.globalAlpha = 0.25;
    pen.fillStyle = ink;
    pen.fillRect(x(minute * 60), 0, scale, height);
    pen.globalAlpha = 0.6;
    pen.fillText(`${minute} min`, x(minute * 60) + 4 * scale, 3 * scale);
  }
  for (const gap of gaps) hatch(pen, x(gap.start), x(gap.end), height, scale);
  pen.globalAlpha = 1;
  for (const row of rows) {
    if (row.end < begin) continue;
    const wide = Math.max(x(row.end) - x(row.start) - scale, 2 * scale);
    const tall = row.emotion ? Math.max(0.12, row.confidence) * (height - 20 * scale) : 3 * scale;
    pen.fillStyle = row.emotion ? colourOf(row.emotion) : "#888888";
    pen.beginPath();
    pen.roundRect(x(row.start), height - tall, wide, tall, [3 * scale, 3 * scale, 0, 0]);
    pen.fill();
  }
}
