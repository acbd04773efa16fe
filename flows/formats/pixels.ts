/** Images as rows of pixels, made smaller and put into others. */

/** Red, green, blue and alpha of each pixel, a byte each, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** An image of one colour. @param colour red, green, blue; opaque */
export function blank(width: number, height: number, colour: readonly [number, number, number]): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at += 4) data.set([...colour, 255], at);
  return { width, height, data };
}

/** The image at most so wide, each of its pixels the mean of those that it stands for. One that is narrow enough stays as it is. */
export function shrink(image: Pixels, width: number): Pixels {
  if (image.width <= width) return image;
  const height = Math.max(1, Math.round((image.height * width) / image.width));
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.floor((y * image.height) / height), Math.ceil(((y + 1) * image.height) / height)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.floor((x * image.width) / width), Math.ceil(((x + 1) * image.width) / width)];
      data.set(meanOf(image, left, right, top, bottom), (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

/** A pixel counts as much as it is opaque, so that what cannot be seen has no colour. */
function meanOf({ data, width }: Pixels, left: number, right: number, top: number, bottom: number): readonly number[] {
  const sums = [0, 0, 0];
  let alphas = 0;
  for (let y = top; y < bottom; y++)
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) {
      const alpha = data[at + 3] ?? 0;
      alphas += alpha;
      for (let channel = 0; channel < 3; channel++) sums[channel] = (sums[channel] ?? 0) + alpha * (data[at + channel] ?? 0);
    }
  return [...sums.map((sum) => (alphas === 0 ? 0 : sum / alphas)), alphas / ((right - left) * (bottom - top))];
}

/** Draws an image over another, its corner there; what does not fit is cut. */
export function draw(onto: Pixels, image: Pixels, left: number, top: number): void {
  const width = Math.min(image.width, onto.width - left);
  for (let y = 0; y < Math.min(image.height, onto.height - top); y++)
    for (let x = 0; x < width; x++) {
      const [from, to] = [(y * image.width + x) * 4, ((top + y) * onto.width + left + x) * 4];
      const alpha = (image.data[from + 3] ?? 0) / 255;
      for (let channel = 0; channel < 3; channel++)
        onto.data[to + channel] = alpha * (image.data[from + channel] ?? 0) + (1 - alpha) * (onto.data[to + channel] ?? 0);
    }
}
