/** Small whole images. */
const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

/** 3 by 2. */
export const png = bytesOf('iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAE0lEQVR4nGP8z8AARIwMDAyMDAwAEjgCAWcKDb0AAAAASUVORK5CYII=');
/** 2 by 1, its head alone: nothing of it is decoded. */
export const jpeg = bytesOf('/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAABAAIDASIAAhEBAxEB/9k=');
/** 1 by 1. */
export const webp = bytesOf('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA');
