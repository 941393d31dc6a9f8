import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { address } from './address';
import {
    api,
    must,
    type AnomalyRegion,
    type Decision,
    type HeatmapStyle,
    type InspectionOrder,
    type InspectionResponse,
    type Verdict,
    type VerdictFilter,
} from './api';
import { reach } from './connection';
import { CALM_MS, queries } from './queries';
import { decode, fromBase64, lift } from './scoring';

const PAGE = 100,
    /** Pictures are large: those that were left are dropped soon. */
    PICTURE_LIFE_MS = 30_000;

export interface InspectionFilter {
    category: string;
    part?: string | undefined;
    station?: string | undefined;
    lot?: string | undefined;
    decision?: Decision | undefined;
    verdict?: VerdictFilter | undefined;
    from?: string | undefined;
    to?: string | undefined;
    minScore?: number | undefined;
    maxScore?: number | undefined;
}

type Page = { items: InspectionResponse[]; nextCursor?: string | null };
type Pages = { pages: Page[]; pageParams: unknown[] };

/** Inspections, a page at a time. */
export const useInspections = (filter: InspectionFilter, order: InspectionOrder, live = false) =>
    useInfiniteQuery({
        queryKey: ['inspections', filter.category, filter, order],
        initialPageParam: undefined as string | undefined,
        queryFn: ({ pageParam }) => list(filter, order, PAGE, pageParam),
        getNextPageParam: page => page.nextCursor ?? undefined,
        refetchInterval: live ? CALM_MS : false,
    });

const list = (filter: InspectionFilter, order: InspectionOrder, limit: number, cursor?: string): Promise<Page> =>
    must(api.GET('/v1/inspections', { params: { query: { ...filter, order, limit, cursor } } }));

export type Neighbourhood = 'time' | 'score' | 'part';

/** The inspections that lie nearest to one: before and after it, with the most similar scores, or of the same part. */
export const useNeighbours = (of: InspectionResponse | undefined, by: Neighbourhood, each = 4) =>
    useQuery({
        queryKey: ['neighbours', of?.category, of?.id, by],
        enabled: of !== undefined,
        queryFn: async () => {
            const { category, at, score, part, id } = of!;
            const sides =
                by === 'time'
                    ? [list({ category, to: at }, 'newest', each), list({ category, from: at }, 'oldest', each + 1)]
                    : by === 'score'
                      ? [
                            list({ category, maxScore: score }, 'highest', each + 1),
                            list({ category, minScore: score }, 'lowest', each + 1),
                        ]
                      : [list({ category, part: part ?? '' }, 'newest', 2 * each + 1)];
            const found = new Map((await Promise.all(sides)).flatMap(page => page.items).map(one => [one.id, one]));
            found.delete(id);
            return [...found.values()].sort((a, b) => (by === 'score' ? a.score - b.score : a.at < b.at ? -1 : 1));
        },
    });

/** Names of defects that people have used lately, the most frequent first. */
export const useDefects = (category: string) =>
    useQuery({
        queryKey: ['defects', category],
        queryFn: async () => {
            const { items } = await list({ category, verdict: 'defective' }, 'newest', 500);
            const counts = new Map<string, number>();
            for (const { verdict } of items)
                if (verdict?.defect) counts.set(verdict.defect, (counts.get(verdict.defect) ?? 0) + 1);
            return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
        },
    });

export function photographAddress(of: InspectionResponse): string {
    const query = new URLSearchParams({ category: of.category });
    return address(`v1/inspections/${encodeURIComponent(of.id)}/image?${query}`);
}

export interface InspectionPicture {
    image: ImageBitmap;
    heatmap: ImageBitmap | undefined;
    /** With contours, unless the version that decided is gone. */
    regions: readonly AnomalyRegion[];
}

const picture = (of: InspectionResponse | undefined) => ({
    queryKey: ['inspection-picture', of?.category, of?.id],
    enabled: of?.image.keptBytes != null,
    staleTime: Infinity,
    gcTime: PICTURE_LIFE_MS,
    queryFn: async (): Promise<InspectionPicture | null> => {
        const [image, drawing] = await Promise.all([read(photographAddress(of!)), draw(of!, 'map')]);
        const regions = drawing?.regions ?? of!.regions;
        if (image) return { image, regions, heatmap: drawing?.heatmap && lift(drawing.heatmap) };
        // A file that the browser cannot draw, such as a TIFF.
        const overlay = drawing && (await draw(of!, 'overlay'));
        return overlay?.heatmap ? { image: overlay.heatmap, regions, heatmap: undefined } : null;
    },
});

/** The photograph of an inspection with its heatmap; null if neither can be drawn. */
export const useInspectionPicture = (of: InspectionResponse | undefined) => useQuery(picture(of));

export function prefetchPicture(of: InspectionResponse | undefined): void {
    if (of?.image.keptBytes != null) void queries.prefetchQuery(picture(of));
}

async function read(from: string): Promise<ImageBitmap | undefined> {
    const response = await reach(from);
    return response.ok ? decode(await response.blob()) : undefined;
}

/** Has the regions and the heatmap made again; undefined if that cannot be done any more. */
async function draw(of: InspectionResponse, heatmap: HeatmapStyle) {
    const params = { path: { id: of.id }, query: { category: of.category, heatmap } };
    const { data } = await api.GET('/v1/inspections/{id}/drawing', { params });
    return data && { regions: data.regions, heatmap: data.heatmap ? await decode(fromBase64(data.heatmap)) : undefined };
}

/** Says what a part is, or takes back what was said. */
export async function judge(of: InspectionResponse, verdict: Verdict | undefined, defect?: string): Promise<void> {
    const params = { path: { id: of.id }, query: { category: of.category } };
    if (verdict)
        await must(
            api.PUT('/v1/inspections/{id}/verdict', {
                params,
                body: verdict === 'defective' && defect ? { verdict, defect } : { verdict },
            }),
        );
    else await must(api.DELETE('/v1/inspections/{id}/verdict', { params }));
    for (const key of ['inspections', 'neighbours', 'defects', 'verdict-figures'])
        void queries.invalidateQueries({ queryKey: [key, of.category] });
}

/** Puts an inspection back into the lists that it was taken from, until they are read again. */
export function putBack(of: InspectionResponse): void {
    queries.setQueriesData<Pages>(
        {
            queryKey: ['inspections', of.category],
            predicate: query => (query.queryKey[2] as InspectionFilter).verdict === 'open',
        },
        data =>
            data &&
            (data.pages.some(page => page.items.some(one => one.id === of.id))
                ? data
                : {
                      ...data,
                      pages: data.pages.map((page, i) => (i === 0 ? { ...page, items: [of, ...page.items] } : page)),
                  }),
    );
}
