import { useQuery } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';
import { api, must, type JobResponse } from './api';
import { address } from './address';
import { CALM_MS, queries } from './queries';

const BUSY_MS = 1500;

type JobPage = { items: JobResponse[]; nextCursor?: string | null };

export const isOver = (job: JobResponse): boolean =>
    job.state === 'succeeded' || job.state === 'failed' || job.state === 'cancelled';

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
 * What jobs change is read again when one has ended, whichever way that is learnt: by an event, from a list, or from
 * a list that shows a job for the first time, which was over before it could be seen running.
 */
const ended = new Set<string>();
queries.getQueryCache().subscribe(event => {
    if (event.type !== 'updated' || event.action.type !== 'success' || event.query.queryKey[0] !== 'jobs') return;
    const page = event.query.state.data as JobPage | undefined;
    const news = page?.items.filter(job => isOver(job) && !ended.has(job.id)) ?? [];
    if (news.length === 0) return;
    for (const job of news) ended.add(job.id);
    void queries.invalidateQueries({ predicate: query => !['jobs', 'session'].includes(String(query.queryKey[0])) });
});

/** Puts a job that has just been started into the lists, and asks for them again. */
export async function addJob(job: JobResponse): Promise<void> {
    // An answer that is on its way may be from before the start.
    await queries.cancelQueries({ queryKey: ['jobs'] });
    for (const key of [['jobs', job.category], ['jobs', '']])
        queries.setQueryData<JobPage>(key, page => ({
            ...page,
            items: [job, ...(page?.items.filter(one => one.id !== job.id) ?? [])],
        }));
    void queries.invalidateQueries({ queryKey: ['jobs'] });
}

/**
 * Follows a running job by its events, so that its progress moves without asking. If events do not pass, as behind
 * some proxies, the list of jobs is asked as always.
 */
export function useJobEvents(job: JobResponse | undefined): void {
    const id = job && !isOver(job) ? job.id : undefined;
    useEffect(() => {
        if (!id) return;
        const events = new EventSource(address(`v1/jobs/${id}/events`));
        events.addEventListener('job', (event: MessageEvent<string>) => {
            const next = JSON.parse(event.data) as JobResponse;
            if (isOver(next)) events.close();
            update(next);
        });
        events.onerror = () => {
            events.close();
            // The job may have ended meanwhile.
            void queries.invalidateQueries({ queryKey: ['jobs'] });
        };
        return () => events.close();
    }, [id]);
}

function update(job: JobResponse): void {
    for (const key of [['jobs', job.category], ['jobs', '']])
        queries.setQueryData<JobPage>(
            key,
            page => page && { ...page, items: page.items.map(one => (one.id === job.id ? job : one)) },
        );
}
