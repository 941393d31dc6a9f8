import { useQuery } from '@tanstack/preact-query';
import type { AccessScope } from './api';
import { api, must } from './api';
import { queries } from './queries';

const rank: Record<AccessScope, number> = { score: 0, review: 1, train: 2, admin: 3 };

export const useSession = () =>
    useQuery({
        queryKey: ['session'],
        queryFn: () => must(api.GET('/v1/session')),
        staleTime: 60_000,
        refetchInterval: 60_000,
    });

/** What the caller may do. What they may not do is not offered. */
export function useRights(): { may: (scope: AccessScope) => boolean; everywhere: boolean } {
    const { data } = useSession();
    const scope = data?.scope;
    return {
        may: needed => !!scope && rank[scope] >= rank[needed],
        everywhere: !!scope && !data?.categories,
    };
}

export async function signIn(key: string): Promise<void> {
    const session = await must(api.POST('/v1/session', { body: { key } }));
    // What was answered before the sign-in does not count any more.
    queries.removeQueries({ predicate: query => query.queryKey[0] !== 'session' });
    queries.setQueryData(['session'], session);
}

export async function signOut(): Promise<void> {
    await must(api.DELETE('/v1/session'));
    queries.clear();
    location.assign(document.baseURI.replace(/console\/$/, ''));
}
