import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Button } from '../components/basics';
import { Icon } from '../components/icons';
import { api, must, ownPage, type CategoryResponse, type JobResponse } from '../data/api';
import { addJob, isOver, useJobEvents, useJobs } from '../data/jobs';
import { notifyFailure } from '../data/notices';
import { useRights } from '../data/session';
import { t } from '../texts';
import { AddImages } from './add-images';
import { Inspect } from './inspect';
import { cancel, JobProgress } from './jobs';

/** From nothing to a first heatmap, in three steps. */
export function Start({ category }: { category: CategoryResponse }) {
    const { may } = useRights();
    const good = category.images.normal;
    const version = category.activeModelVersion;
    return (
        <ol class="steps">
            <Step
                number={1}
                title={t.start.images}
                detail={t.start.imagesDetail}
                done={good >= 2}
                state={good > 0 ? t.start.have(good) : undefined}
            >
                {may('train') && !category.imagesOf && <AddImages category={category.name} />}
            </Step>
            <Step
                number={2}
                title={t.start.fit}
                detail={t.start.fitDetail}
                done={version != null}
                state={version != null ? t.start.doneIn(version) : undefined}
            >
                <FitControl category={category} large />
            </Step>
            <Step number={3} title={t.start.tryOut} detail={t.start.tryOutDetail} done={false} state={undefined}>
                {version != null && <Inspect category={category} />}
            </Step>
        </ol>
    );
}

function Step(props: {
    number: number;
    title: string;
    detail: string;
    done: boolean;
    state: string | undefined;
    children: ComponentChildren;
}) {
    return (
        <li class={props.done ? 'step done' : 'step'}>
            <span class="step-number" aria-hidden="true">
                {props.done ? <Icon name="check" /> : props.number}
            </span>
            <div class="step-body">
                <div class="row">
                    <h2>{props.title}</h2>
                    {props.state && <Badge tone={props.done ? 'good' : 'calm'}>{props.state}</Badge>}
                </div>
                <p class="muted">{props.detail}</p>
                {props.children}
            </div>
        </li>
    );
}

/** Starts a fit and follows it. */
export function FitControl({ category, large }: { category: CategoryResponse; large?: boolean }) {
    const { may } = useRights();
    const { data: jobs } = useJobs(category.name, may('train'));
    const [busy, setBusy] = useState(false);
    const fits = jobs?.filter(job => job.kind === 'fit') ?? [];
    const running = fits.find(job => !isOver(job));
    const last: JobResponse | undefined = fits[0];
    useJobEvents(running);
    if (!may('train')) return null;

    async function start() {
        setBusy(true);
        try {
            const job = await must(
                api.POST('/v1/categories/{category}/fits', {
                    params: {
                        path: { category: category.name },
                        header: { 'Idempotency-Key': crypto.randomUUID?.() ?? String(Math.random()) },
                    },
                    headers: ownPage,
                    body: { activate: true, incremental: true, shadow: false },
                }),
            );
            await addJob(job);
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    if (running)
        return (
            <div class="fit-running">
                <JobProgress job={running} />
                <Button icon="stop" onClick={() => void cancel(running)}>
                    {t.fit.cancel}
                </Button>
            </div>
        );
    return (
        <div class="stack">
            {last?.state === 'failed' && (
                <p class="banner bad">
                    <Icon name="warn" />
                    <span>
                        {t.fit.failed}: {last.error?.detail}
                    </span>
                </p>
            )}
            <div class="row">
                <Button
                    kind={category.activeModelVersion ? 'plain' : 'primary'}
                    large={large ?? false}
                    busy={busy}
                    disabled={category.images.normal < 2}
                    onClick={() => void start()}
                >
                    {category.activeModelVersion ? t.start.fitAgain : t.start.fitNow}
                </Button>
                {category.images.normal < 2 && <span class="muted">{t.start.needTwo}</span>}
            </div>
        </div>
    );
}
