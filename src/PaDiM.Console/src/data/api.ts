import createClient from 'openapi-fetch';
import type { paths, ProblemResponse } from '../../obj/api';
import { address } from './address';
import { reach } from './connection';

export type * from '../../obj/api';

/** Requests that change something count only with it: pages of other sites cannot send it. */
export const ownPage = { 'X-Padim-Console': '1' };

export const api = createClient<paths>({
    baseUrl: address('').replace(/\/$/, ''),
    fetch: request => reach(request),
    headers: ownPage,
});

/** What the service refused, in its own words. */
export class Refusal extends Error {
    constructor(
        readonly status: number,
        readonly problem: Partial<ProblemResponse>,
    ) {
        super(problem.detail ?? `HTTP ${status}`);
    }

    get code(): string {
        return this.problem.code ?? '';
    }
}

/** Gets what the service refused. A proxy between may have written something else. */
export async function refusalOf(response: Response): Promise<Refusal> {
    return new Refusal(response.status, ((await response.json().catch(() => ({}))) ?? {}) as Partial<ProblemResponse>);
}

/** Gets the body of an answer, or throws what was refused. */
export async function must<T>(
    answer: Promise<{ data?: T; error?: ProblemResponse; response: Response }>,
): Promise<NonNullable<T>> {
    const { data, error, response } = await answer;
    if (!response.ok) throw new Refusal(response.status, error ?? {});
    return data as NonNullable<T>;
}

/** Sends bytes, which the typed client does not. */
export async function send<T>(path: string, body: BodyInit, init: RequestInit = {}): Promise<T> {
    const response = await reach(address(path), { method: 'POST', ...init, body, headers: { ...ownPage, ...init.headers } });
    if (!response.ok) throw await refusalOf(response);
    return (await response.json().catch(() => ({}))) as T;
}

/** Reads all pages of a list. */
export async function readAll<T>(
    read: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor?: string | null }>,
    limit = 50_000,
): Promise<T[]> {
    const all: T[] = [];
    let cursor: string | undefined;
    do {
        const page = await read(cursor);
        all.push(...page.items);
        cursor = page.nextCursor ?? undefined;
    } while (cursor && all.length < limit);
    return all;
}
