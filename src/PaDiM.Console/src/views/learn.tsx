import { useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { Button, Dialog, Loaded, Panel, Table } from '../components/basics';
import { act } from '../data/act';
import { api, must, type CategoryResponse, type InspectionResponse, type LearnResponse } from '../data/api';
import { addJob } from '../data/jobs';
import { notifyFailure, type Notice } from '../data/notices';
import { queries } from '../data/queries';
import { useRights } from '../data/session';
import { Store, useStore } from '../data/store';
import { t } from '../texts';
import { InspectionDialog, InspectionStrip } from './inspection';

/** Learns the parts that were said to be good, by a candidate that decides nothing until it is promoted. */
export function LearnControl({ category }: { category: CategoryResponse }) {
    const { may } = useRights();
    const [asking, setAsking] = useState(false);
    const [busy, setBusy] = useState(false);
    const [learnt, setLearnt] = useState<LearnResponse>();
    if (!may('train') || category.activeModelVersion == null) return null;

    async function learn() {
        setBusy(true);
        try {
            const answer = await must(
                api.POST('/v1/categories/{category}/learn', {
                    params: { path: { category: category.name } },
                    body: { query: {}, fit: true, shadow: true },
                }),
            );
            setLearnt(answer);
            if (answer.job) await addJob(answer.job);
            await queries.invalidateQueries({ queryKey: ['images', category.name] });
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    function close() {
        setAsking(false);
        setLearnt(undefined);
    }

    return (
        <>
            <Button onClick={() => setAsking(true)}>{t.learn.start}</Button>
            {asking && (
                <Dialog title={t.learn.title} onClose={close}>
                    {learnt ? <Learnt of={learnt} /> : <p>{t.learn.detail}</p>}
                    <footer class="row end">
                        <Button onClick={close}>{learnt ? t.close : t.cancel}</Button>
                        {(!learnt || learnt.more) && (
                            <Button kind="primary" busy={busy} onClick={() => void learn()}>
                                {learnt ? t.learn.more : t.learn.confirm}
                            </Button>
                        )}
                    </footer>
                </Dialog>
            )}
        </>
    );
}

/** What was learnt, and what was not and why. */
function Learnt({ of }: { of: LearnResponse }) {
    return (
        <div class="stack" role="status">
            <p>{t.learn.done(of.added.length, of.duplicates.length)}</p>
            {of.job && <p>{t.learn.fits}</p>}
            {of.notFitted && <p>{of.notFitted.detail}</p>}
            {of.refused.length > 0 && (
                <>
                    <p>{t.learn.refused(of.refused.length)}</p>
                    <ul>
                        {[...new Set(of.refused.map(one => one.detail))].map(detail => (
                            <li key={detail}>{detail}</li>
                        ))}
                    </ul>
                </>
            )}
        </div>
    );
}

/** The version in the shadow: how often it decides differently, on which parts, and whether it takes over. */
export function Shadow({ category }: { category: CategoryResponse }) {
    const { may } = useRights();
    const version = category.shadowVersion;
    const path = { category: category.name };
    const isEnding = useStore(ending) === nameOf(category);
    useEffect(() => {
        if (version == null) ending.set(undefined);
    }, [version]);
    const shadow = useQuery({
        queryKey: ['shadow', category.name, version],
        enabled: version != null && !isEnding,
        refetchInterval: 5000,
        queryFn: ({ signal }) => must(api.GET('/v1/categories/{category}/shadow', { params: { path }, signal })),
    });
    const differences = useQuery({
        queryKey: ['shadow-differences', category.name, version, shadow.data?.differing ?? 0],
        enabled: (shadow.data?.differing ?? 0) > 0 && !isEnding,
        queryFn: ({ signal }) =>
            must(
                api.GET('/v1/categories/{category}/shadow/differences', {
                    signal,
                    params: { path, query: { limit: 50 } },
                }),
            ),
    });
    const [opened, setOpened] = useState<InspectionResponse>();
    if (version == null) return null;
    const shown = differences.data?.items.flatMap(one => (one.inspection ? [one.inspection] : [])) ?? [];
    return (
        <Panel
            title={t.shadow.title(version)}
            actions={
                may('train') && (
                    <>
                        <Button busy={isEnding} onClick={() => void endShadow(category)}>
                            {t.shadow.end}
                        </Button>
                        <Button kind="primary" busy={isEnding} onClick={() => void promote(category, version)}>
                            {t.shadow.promote}
                        </Button>
                    </>
                )
            }
        >
            <Loaded query={shadow}>
                {is => (
                    <>
                        <p>{t.shadow.figures(is.scored, is.differing, is.missed)}</p>
                        {is.decisions.length > 0 && (
                            <Table
                                label={t.shadow.title(version)}
                                head={[t.jobs.version(is.activeVersion), t.jobs.version(version), t.inspections.parts]}
                            >
                                {is.decisions.map(one => (
                                    <tr key={`${one.decision} ${one.shadowDecision}`}>
                                        <td>{t.decision[one.decision]}</td>
                                        <td>{t.decision[one.shadowDecision]}</td>
                                        <td class="number">{t.number(one.inspections)}</td>
                                    </tr>
                                ))}
                            </Table>
                        )}
                        {shown.length > 0 && (
                            <>
                                <h3>{t.shadow.differences}</h3>
                                <InspectionStrip items={shown} onOpen={setOpened} />
                            </>
                        )}
                    </>
                )}
            </Loaded>
            {opened && <InspectionDialog of={opened} onClose={() => setOpened(undefined)} />}
        </Panel>
    );
}

/** Lets a version score beside the active one. */
export const startShadow = (category: CategoryResponse, version: number): Promise<void> =>
    act(
        must(
            api.PUT('/v1/categories/{category}/shadow', {
                params: { path: { category: category.name } },
                body: { version },
            }),
        ),
        t.shadow.started(version),
        { label: t.undo, run: () => void endShadow(category) },
    );

/** The shadow that is being ended: it is not asked about until the category says that it is gone. */
const ending = new Store<string | undefined>(undefined);
const nameOf = (category: CategoryResponse) => `${category.name}/${category.shadowVersion}`;

/** Waits for a change that may end the shadow. */
export async function actOnShadow(
    category: CategoryResponse,
    change: () => Promise<unknown>,
    done: string,
    action?: Notice['action'],
): Promise<void> {
    ending.set(nameOf(category));
    await Promise.all(
        ['shadow', 'shadow-differences'].map(key => queries.cancelQueries({ queryKey: [key, category.name] })),
    );
    await act(change(), done, action);
    const after = queries.getQueryData<CategoryResponse>(['category', category.name]);
    if (after?.shadowVersion === category.shadowVersion) ending.set(undefined);
}

const endShadow = (category: CategoryResponse): Promise<void> =>
    actOnShadow(
        category,
        () => must(api.DELETE('/v1/categories/{category}/shadow', { params: { path: { category: category.name } } })),
        t.shadow.ended,
    );

const promote = (category: CategoryResponse, version: number): Promise<void> =>
    actOnShadow(
        category,
        () =>
            must(
                api.POST('/v1/categories/{category}/shadow/promote', {
                    params: { path: { category: category.name }, query: { version } },
                }),
            ),
        t.models.activated(version),
    );
