import type { ScoreResponse } from './api';
import { send } from './api';

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
    // The browser draws no TIFF, and no picture of more than 8 bits: the heatmap stands alone then.
    const image = own ?? heatmap ?? (await createImageBitmap(new ImageData(1, 1)));
    return { name, result, image, heatmap: own ? heatmap : undefined, blob };
}

async function decode(blob: Blob): Promise<ImageBitmap | undefined> {
    try {
        return await createImageBitmap(blob);
    } catch {
        return undefined;
    }
}

function fromBase64(text: string): Blob {
    return new Blob([Uint8Array.from(atob(text), char => char.charCodeAt(0))], { type: 'image/png' });
}
