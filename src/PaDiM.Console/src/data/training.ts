import { useQuery } from '@tanstack/preact-query';
import {
    api,
    must,
    readAll,
    type FindingResponse,
    type ImageResponse,
    type ImageSettings,
    type OutlierResponse,
} from './api';
import { queries } from './queries';

export interface Check {
    outlier?: OutlierResponse;
    findings: FindingResponse[];
}

/** The images that a version was fitted to, by identifier. Those that are gone have none. */
export const useModelImages = (category: string, version: number | null | undefined) =>
    useQuery({
        queryKey: ['model-images', category, version],
        enabled: version != null,
        staleTime: 60_000,
        queryFn: () =>
            readAll(cursor =>
                must(
                    api.GET('/v1/categories/{category}/models/{version}/images', {
                        params: { path: { category, version: version! }, query: { limit: 1000, cursor } },
                    }),
                ),
            ),
    });

export const useModel = (category: string, version: number | null | undefined) =>
    useQuery({
        queryKey: ['model', category, version],
        enabled: version != null,
        queryFn: () =>
            must(
                api.GET('/v1/categories/{category}/models/{version}', {
                    params: { path: { category, version: version! } },
                }),
            ),
    });

/** What a person should look at, by image. */
export function getChecks(
    outliers: readonly OutlierResponse[],
    findings: readonly FindingResponse[],
): Map<string, Check> {
    const checks = new Map<string, Check>();
    const of = (id: string) => {
        const check = checks.get(id) ?? { findings: [] };
        checks.set(id, check);
        return check;
    };
    for (const outlier of outliers) of(outlier.imageId).outlier = outlier;
    for (const finding of findings) of(finding.imageId).findings.push(finding);
    return checks;
}

/** How much an image stands out: what stands out most is looked at first. */
export function urgency(check: Check | undefined): number {
    if (!check) return 0;
    return (check.outlier ? 1000 + check.outlier.score : 0) + check.findings.length;
}

export async function relabel(
    category: string,
    images: readonly ImageResponse[],
    set: ImageSettings,
): Promise<void> {
    await must(
        api.POST('/v1/categories/{category}/dataset/update', {
            params: { path: { category } },
            body: {
                select: { ids: images.map(image => image.id), all: false },
                set,
                dropMasks: set.label === 'normal' && images.some(image => image.hasMask),
                dryRun: false,
                expected: images.length,
            },
        }),
    );
    await refresh(category);
}

export async function removeImages(category: string, images: readonly ImageResponse[]): Promise<void> {
    await must(
        api.POST('/v1/categories/{category}/dataset/delete', {
            params: { path: { category } },
            body: {
                select: { ids: images.map(image => image.id), all: false },
                dryRun: false,
                expected: images.length,
            },
        }),
    );
    await refresh(category);
}

async function refresh(category: string): Promise<void> {
    await Promise.all(
        ['images', 'category', 'model-images', 'cover'].map(key =>
            queries.invalidateQueries({ queryKey: [key, category] }),
        ),
    );
    await queries.invalidateQueries({ queryKey: ['categories'] });
}

/** How many images were added and removed since a version was fitted. */
export function compare(
    images: readonly ImageResponse[],
    fitted: ReadonlySet<string>,
): { added: number; removed: number } {
    const good = images.filter(image => image.label === 'normal' && !image.heldOut);
    const kept = good.filter(image => fitted.has(image.sha256)).length;
    return { added: good.length - kept, removed: fitted.size - kept };
}
