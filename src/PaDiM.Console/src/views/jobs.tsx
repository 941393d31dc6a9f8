import { Link } from 'wouter-preact';
import { Badge, Button, Empty, Loaded, Progress, Table, type Tone } from '../components/basics';
import { api, must, type JobResponse, type JobState } from '../data/api';
import { isOver, useJobs } from '../data/jobs';
import { notify, notifyFailure } from '../data/notices';
import { queries } from '../data/queries';
import { t } from '../texts';

const tones: Record<JobState, Tone> = {
    queued: 'calm',
    running: 'busy',
    succeeded: 'good',
    failed: 'bad',
    cancelled: 'calm',
};

export function Jobs() {
    const jobs = useJobs();
    return (
        <>
            <header class="page-head">
                <h1>{t.jobs.title}</h1>
            </header>
            <Loaded query={jobs}>
                {all => (all.length === 0 ? <Empty title={t.jobs.empty} icon="jobs" /> : <JobTable jobs={all} />)}
            </Loaded>
        </>
    );
}

export function JobTable({ jobs }: { jobs: readonly JobResponse[] }) {
    return (
        <Table
            label={t.jobs.title}
            head={[t.jobs.job, t.jobs.category, t.jobs.stateHeading, t.jobs.started, t.jobs.took, t.jobs.result]}
        >
            {jobs.map(job => (
                <tr key={job.id}>
                    <th scope="row">{t.jobs.kind[job.kind]}</th>
                    <td>
                        <Link href={`/console/c/${job.category}`}>{job.category}</Link>
                    </td>
                    <td>
                        <Badge tone={tones[job.state]}>{t.jobs.state[job.state]}</Badge>
                        {job.attempts > 1 && <span class="muted"> {t.jobs.attempts(job.attempts)}</span>}
                    </td>
                    <td class="number">{t.time(job.startedAt ?? job.createdAt)}</td>
                    <td class="number">{took(job)}</td>
                    <td>
                        {isOver(job) ? (
                            (job.error?.detail ?? (job.modelVersion ? t.jobs.version(job.modelVersion) : ''))
                        ) : (
                            <div class="row">
                                <JobProgress job={job} />
                                <Button kind="quiet" icon="stop" onClick={() => void cancel(job)}>
                                    {t.jobs.cancel}
                                </Button>
                            </div>
                        )}
                    </td>
                </tr>
            ))}
        </Table>
    );
}

export function JobProgress({ job }: { job: JobResponse }) {
    const stage =
        job.state === 'queued' ? t.fit.queued : (t.fit.stages[job.stage ?? ''] ?? job.stage ?? t.jobs.state.running);
    return (
        <div class="job-progress">
            <Progress value={job.state === 'queued' ? undefined : job.progress} label={t.jobs.kind[job.kind]} />
            <span class="muted">
                {stage}
                {job.secondsLeft != null && `, ${t.fit.left(job.secondsLeft)}`}
            </span>
        </div>
    );
}

export async function cancel(job: JobResponse): Promise<void> {
    try {
        await must(api.DELETE('/v1/jobs/{id}', { params: { path: { id: job.id } } }));
        notify(t.jobs.cancelled);
    } catch (error) {
        notifyFailure(error);
    }
    await queries.invalidateQueries({ queryKey: ['jobs'] });
}

function took(job: JobResponse): string {
    if (!job.startedAt) return '';
    const end = job.finishedAt ? Date.parse(job.finishedAt) : Date.now();
    return t.duration(Math.max(0, end - Date.parse(job.startedAt)));
}
