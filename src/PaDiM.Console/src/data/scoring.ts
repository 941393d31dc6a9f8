import type { ScoreResponse } from './api';
import { send } from './api';

/** Heatmaps are smooth: more pixels show nothing more. */
const LONG_SIDE = 800;

export interface Scored {
    name: string;
    result: ScoreResponse;
    image: ImageBitmap;
    heatmap: ImageBitmap | undefined;
    blob: Blob;
}

/** Scores a picture, and decodes what is drawn. */
export async function score(
    category: string,
    blob: Blob,
    name: string,
    model?: number,
    signal?: AbortSignal,
): Promise<Scored> {
    const query = new URLSearchParams({ heatmap: 'map', contours: 'true' });
    if (model) query.set('model', String(model));
    const [result, own] = await Promise.all([
        send<ScoreResponse>(`v1/categories/${category}/score?${query}`, blob, {
            headers: { 'Content-Type': blob.type || 'application/octet-stream' },
            ...(signal ? { signal } : {}),
        }),
        decode(blob),
    ]);
    const heatmap = result.heatmap ? await decode(fromBase64(result.heatmap)) : undefined;
    // A file that the browser cannot draw, such as a TIFF: the heatmap stands alone.
    const image = own ?? heatmap ?? (await createImageBitmap(new ImageData(1, 1)));
    return { name, result, image, heatmap: own && heatmap && lift(heatmap), blob };
}

/** Makes the dark of a heatmap transparent, so that it does not veil what is normal. */
export function lift(heatmap: ImageBitmap): ImageBitmap {
    const scale = Math.min(1, LONG_SIDE / Math.max(heatmap.width, heatmap.height));
    const width = Math.max(1, Math.round(heatmap.width * scale));
    const height = Math.max(1, Math.round(heatmap.height * scale));
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.drawImage(heatmap, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    const { data } = pixels;
    for (let i = 0; i < data.length; i += 4)
        data[i + 3] = Math.max(0, 1.5 * (0.5 * data[i]! + 0.4 * data[i + 1]! + 0.1 * data[i + 2]!) - 40);
    context.putImageData(pixels, 0, 0);
    return canvas.transferToImageBitmap();
}

export async function decode(blob: Blob): Promise<ImageBitmap | undefined> {
    try {
        return await createImageBitmap(blob);
    } catch {
        return undefined;
    }
}

export function fromBase64(text: string): Blob {
    return new Blob([Uint8Array.from(atob(text), char => char.charCodeAt(0))], { type: 'image/png' });
}
