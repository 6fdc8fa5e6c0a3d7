export interface Placed {
  dx: number;
  dy: number;
  align: 'left' | 'right' | 'center';
}

export interface Box {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

const LINE = 14;
const GAP = 11;

/**
 * Where to write the label of each point (pixels in a plot of `width` x `height`) so that labels keep clear of
 * one another, of the points, of their intervals (`reach`), of what is `reserved` and of the edges: for each in turn the first of eight places with the least
 * overlap.
 */
export function placeLabels(
  points: readonly { x: number; y: number; text: string; reach: Box }[],
  width: number,
  height: number,
  reserved: readonly Box[] = [],
): Placed[] {
  const taken: Box[] = [...reserved];
  for (const { x, y, reach } of points)
    taken.push(
      { x0: x - 8, x1: x + 8, y0: y - 8, y1: y + 8 },
      { x0: reach.x0, x1: reach.x1, y0: y - 2, y1: y + 2 },
      { x0: x - 2, x1: x + 2, y0: reach.y0, y1: reach.y1 },
    );
  return points.map(({ x, y, text }) => {
    const w = text.length * 7;
    const places: Placed[] = [
      { dx: GAP, dy: 0, align: 'left' },
      { dx: -GAP, dy: 0, align: 'right' },
      { dx: 0, dy: -GAP - 4, align: 'center' },
      { dx: 0, dy: GAP + 4, align: 'center' },
      { dx: GAP, dy: -GAP, align: 'left' },
      { dx: GAP, dy: GAP, align: 'left' },
      { dx: -GAP, dy: -GAP, align: 'right' },
      { dx: -GAP, dy: GAP, align: 'right' },
    ];
    const boxOf = ({ dx, dy, align }: Placed): Box => {
      const x0 = x + dx - (align === 'left' ? 0 : align === 'right' ? w : w / 2);
      return { x0, x1: x0 + w, y0: y + dy - LINE / 2, y1: y + dy + LINE / 2 };
    };
    const cost = (place: Placed) => {
      const box = boxOf(place);
      const outside =
        Math.max(0, -box.x0) +
        Math.max(0, box.x1 - width) +
        Math.max(0, -box.y0) +
        Math.max(0, box.y1 - height);
      return taken.reduce((sum, other) => sum + overlap(box, other), outside * 40);
    };
    const best = places.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    taken.push(boxOf(best));
    return best;
  });
}

function overlap(a: Box, b: Box): number {
  const w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  return w > 0 && h > 0 ? w * h : 0;
}
