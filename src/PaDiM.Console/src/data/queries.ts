import { QueryCache, QueryClient, useQuery, useQueryClient } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';
import { api, must, readAll, Refusal, type JobResponse } from './api';
import { address } from './address';
import { connected } from './connection';

const BUSY_MS = 1500,
    CALM_MS = 10_000;

export const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
        // A session that has ended shows the page to sign in.
        onError: (error, query) => {
            if (error instanceof Refusal && error.status === 401 && query.queryKey[0] !== 'session')
                void queries.invalidateQueries({ queryKey: ['session'] });
        },
    }),
    defaultOptions: {
        queries: {
            staleTime: 2000,
            // The service may be reached where the internet is not.
            networkMode: 'always',
            // A refusal is an answer; only silence is asked again.
            retry: (count, error) => !(error instanceof Refusal) && count < 3,
            refetchOnWindowFocus: true,
        },
    },
});

connected.watch(back => {
    if (back) void queries.invalidateQueries();
});

export const isOver = (job: JobResponse): boolean =>
    job.state === 'succeeded' || job.state === 'failed' || job.state === 'cancelled';

export const useCategories = () =>
    useQuery({
        queryKey: ['categories'],
        queryFn: () =>
            readAll(cursor => must(api.GET('/v1/categories', { params: { query: { limit: 1000, cursor } } }))),
        refetchInterval: CALM_MS,
    });

export const useCategory = (category: string) =>
    useQuery({
        queryKey: ['category', category],
        queryFn: () => must(api.GET('/v1/categories/{category}', { params: { path: { category } } })),
    });

export const useModels = (category: string) =>
    useQuery({
        queryKey: ['models', category],
        queryFn: () =>
            readAll(cursor =>
                must(
                    api.GET('/v1/categories/{category}/models', {
                        params: { path: { category }, query: { limit: 1000, cursor } },
                    }),
                ),
            ),
    });

export const useImages = (category: string, enabled = true) =>
    useQuery({
        queryKey: ['images', category],
        enabled,
        queryFn: () =>
            readAll(cursor =>
                must(
                    api.GET('/v1/categories/{category}/images', {
                        params: { path: { category }, query: { limit: 1000, cursor } },
                    }),
                ),
            ),
    });

export const useThreshold = (category: string) =>
    useQuery({
        queryKey: ['threshold', category],
        queryFn: () => must(api.GET('/v1/categories/{category}/threshold', { params: { path: { category } } })),
    });

export const useSystem = () =>
    useQuery({
        queryKey: ['system'],
        queryFn: () => must(api.GET('/v1/system')),
        refetchInterval: 5000,
    });

/** The newest jobs, of one category or of all. */
export const useJobs = (category?: string, enabled = true) =>
    useQuery({
        queryKey: ['jobs', category ?? ''],
        enabled,
        queryFn: () => must(api.GET('/v1/jobs', { params: { query: { category, limit: 50 } } })),
        select: page => page.items,
        refetchInterval: query =>
            query.state.data?.items.some(job => !isOver(job)) ? BUSY_MS : CALM_MS,
    });

/**
 * Follows a running job by its events, so that its progress moves without asking. If events do not pass, as behind
 * some proxies, the list of jobs is asked as always.
 */
export function useJobEvents(job: JobResponse | undefined): void {
    const client = useQueryClient();
    const id = job && !isOver(job) ? job.id : undefined;
    const category = job?.category;
    useEffect(() => {
        if (!id) return;
        const events = new EventSource(address(`v1/jobs/${id}/events`));
        const update = (event: MessageEvent<string>) => {
            const next = JSON.parse(event.data) as JobResponse;
            for (const key of [['jobs', category ?? ''], ['jobs', '']])
                client.setQueryData<{ items: JobResponse[] }>(
                    key,
                    page => page && { ...page, items: page.items.map(one => (one.id === next.id ? next : one)) },
                );
            if (isOver(next)) {
                events.close();
                void client.invalidateQueries();
            }
        };
        events.addEventListener('job', update);
        events.onerror = () => events.close();
        return () => events.close();
    }, [id, category, client]);
}
