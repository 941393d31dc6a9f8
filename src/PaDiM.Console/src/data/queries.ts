import { QueryCache, QueryClient, useQuery } from '@tanstack/preact-query';
import { api, must, readAll, Refusal, type CategoryResponse, type SystemResponse } from './api';
import { connected } from './connection';
import { Store } from './store';

/** How often what others may change is asked again. */
export const CALM_MS = 10_000;

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

/** A category that somebody else has changed is noticed when it is read again; then all about it is read again. */
const seen = new Map<string, string>();
queries.getQueryCache().subscribe(event => {
    if (event.type !== 'updated' || event.action.type !== 'success' || event.query.queryKey[0] !== 'category') return;
    const is = event.query.state.data as CategoryResponse | undefined;
    if (!is) return;
    const state = JSON.stringify([is.updatedAt, is.activeModelVersion, is.images]);
    const before = seen.get(is.name);
    seen.set(is.name, state);
    if (before !== undefined && before !== state)
        void queries.invalidateQueries(
            { predicate: query => query.queryKey[1] === is.name && query.queryKey[0] !== 'category' },
            { cancelRefetch: false },
        );
});

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
        refetchInterval: CALM_MS,
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

const byReplica = (a: SystemResponse, b: SystemResponse) => (a.replica < b.replica ? -1 : 1);

/** What each replica said last. Behind a balancer, now one answers and now another. */
export const replicas = new Store<readonly SystemResponse[]>([]);

export const useSystem = () =>
    useQuery({
        queryKey: ['system'],
        queryFn: async () => {
            const system = await must(api.GET('/v1/system'));
            replicas.set([...replicas.value.filter(one => one.replica !== system.replica), system].sort(byReplica));
            return system;
        },
        refetchInterval: 5000,
    });
