import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Badge, Button, Dialog, Loaded, Panel, Table, type Tone } from '../components/basics';
import { api, must, type DeadLetterResponse, type SinkResponse } from '../data/api';
import { act } from '../data/act';
import { notify, notifyFailure } from '../data/notices';
import { CALM_MS, queries } from '../data/queries';
import { t } from '../texts';
import { SinkForm } from './sink-form';

/** Where results are sent, how that goes, and what could not be delivered. */
export function Sinks() {
    const sinks = useQuery({
        queryKey: ['sinks'],
        queryFn: () => must(api.GET('/v1/sinks', { params: { query: { limit: 1000 } } })),
        refetchInterval: CALM_MS,
    });
    const [opened, setOpened] = useState<string>();
    const [changed, setChanged] = useState<SinkResponse | 'new'>();
    const [removed, setRemoved] = useState<SinkResponse>();
    return (
        <Panel
            class="whole"
            title={t.sinks.title}
            actions={
                <Button icon="plus" onClick={() => setChanged('new')}>
                    {t.sinks.create}
                </Button>
            }
        >
            <Loaded query={sinks}>
                {({ items }) =>
                    items.length === 0 ? (
                        <p class="muted">{t.sinks.empty}</p>
                    ) : (
                        <Table
                            label={t.sinks.title}
                            head={[
                                t.system.name,
                                t.sinks.target,
                                t.system.state,
                                t.sinks.queued,
                                t.sinks.delivered,
                                t.sinks.lost,
                                t.sinks.letters,
                                t.models.actions,
                            ]}
                        >
                            {items.map(sink => (
                                <Row
                                    key={sink.name}
                                    sink={sink}
                                    onOpen={() => setOpened(sink.name)}
                                    onChange={() => setChanged(sink)}
                                    onRemove={() => setRemoved(sink)}
                                />
                            ))}
                        </Table>
                    )
                }
            </Loaded>
            {opened && <Letters sink={opened} onClose={() => setOpened(undefined)} />}
            {changed && (
                <SinkForm
                    stored={changed === 'new' ? undefined : changed}
                    taken={sinks.data?.items.map(sink => sink.name) ?? []}
                    onClose={() => setChanged(undefined)}
                />
            )}
            {removed && <Removal sink={removed.name} onClose={() => setRemoved(undefined)} />}
        </Panel>
    );
}

/** Deletes a sink, once it is said again. */
function Removal({ sink, onClose }: { sink: string; onClose: () => void }) {
    const [busy, setBusy] = useState(false);

    async function remove() {
        setBusy(true);
        await act(
            must(api.DELETE('/v1/sinks/{sink}', { params: { path: { sink } } })),
            t.sinks.deleted(sink),
        );
        onClose();
    }

    return (
        <Dialog title={t.sinks.deleteTitle(sink)} onClose={onClose}>
            <p>{t.sinks.deleteDetail}</p>
            <footer class="row end">
                <Button onClick={onClose}>{t.cancel}</Button>
                <Button kind="danger" busy={busy} onClick={() => void remove()}>
                    {t.remove}
                </Button>
            </footer>
        </Dialog>
    );
}

interface RowProps {
    sink: SinkResponse;
    onOpen: () => void;
    onChange: () => void;
    onRemove: () => void;
}

function Row({ sink, onOpen, onChange, onRemove }: RowProps) {
    const [busy, setBusy] = useState(false);
    const { status } = sink;

    async function test() {
        setBusy(true);
        try {
            const answer = await must(api.POST('/v1/sinks/{sink}/test', { params: { path: { sink: sink.name } } }));
            notify(
                answer.delivered
                    ? t.sinks.testDelivered(sink.name, answer.durationMs)
                    : t.sinks.testFailed(sink.name, answer.detail ?? ''),
                answer.delivered ? 'done' : 'refused',
            );
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    return (
        <tr>
            <th scope="row">{sink.name}</th>
            <td class="wrap">{targetOf(sink)}</td>
            <td class="wrap">
                <Badge tone={toneOf(sink)}>
                    {sink.enabled ? t.sinks.circuits[status?.circuit ?? 'closed'] : t.sinks.off}
                </Badge>
                {status?.error && <p class="muted">{status.error}</p>}
            </td>
            {(['queued', 'delivered', 'dropped', 'deadLetters'] as const).map(figure => (
                <td key={figure} class="number">
                    {status && t.number(status[figure])}
                </td>
            ))}
            <td>
                <div class="row end">
                    <Button busy={busy} onClick={() => void test()}>
                        {t.sinks.test}
                    </Button>
                    <Button disabled={status?.deadLetters === 0} onClick={onOpen}>
                        {t.sinks.show}
                    </Button>
                    <Button onClick={onChange}>{t.sinks.edit}</Button>
                    <Button icon="trash" label={t.remove} onClick={onRemove} />
                </div>
            </td>
        </tr>
    );
}

function targetOf({ webhook, mqtt, folder }: SinkResponse): string {
    if (webhook) return webhook.url;
    if (mqtt?.sparkplug)
        return `${mqtt.host}:${mqtt.port} spBv1.0/${mqtt.sparkplug.group}/+/${mqtt.sparkplug.node}`;
    if (mqtt) return `${mqtt.host}:${mqtt.port} ${mqtt.topic}`;
    return folder?.path ?? '';
}

function toneOf({ enabled, status }: SinkResponse): Tone {
    if (!enabled || !status) return 'calm';
    return status.circuit === 'closed' ? 'good' : status.circuit === 'open' ? 'bad' : 'review';
}

/** What a sink could not deliver: to be sent again, or given up. */
function Letters({ sink, onClose }: { sink: string; onClose: () => void }) {
    const [asking, setAsking] = useState<DeadLetterResponse | 'all'>();
    const letters = useInfiniteQuery({
        queryKey: ['dead-letters', sink],
        initialPageParam: undefined as string | undefined,
        queryFn: ({ pageParam }) =>
            must(
                api.GET('/v1/sinks/{sink}/dead-letters', {
                    params: { path: { sink }, query: { limit: 100, cursor: pageParam } },
                }),
            ),
        getNextPageParam: page => page.nextCursor ?? undefined,
        refetchInterval: CALM_MS,
    });

    async function run(work: Promise<unknown>, done: string) {
        try {
            await work;
            notify(done);
        } catch (error) {
            notifyFailure(error);
        }
        setAsking(undefined);
        await queries.invalidateQueries({ queryKey: ['dead-letters', sink] });
        await queries.invalidateQueries({ queryKey: ['sinks'] });
    }
    const path = (letter: string) => ({ params: { path: { sink, letter } } });
    const all = { params: { path: { sink } } };
    const send = (letter: DeadLetterResponse) =>
        run(must(api.POST('/v1/sinks/{sink}/dead-letters/{letter}/send', path(letter.id))), t.sinks.sent);
    const sendAll = () => run(must(api.POST('/v1/sinks/{sink}/dead-letters/send', all)), t.sinks.sent);
    const remove = () =>
        asking === 'all'
            ? run(must(api.DELETE('/v1/sinks/{sink}/dead-letters', all)), t.sinks.removed)
            : run(must(api.DELETE('/v1/sinks/{sink}/dead-letters/{letter}', path(asking!.id))), t.sinks.removed);

    if (asking)
        return (
            <Dialog title={t.sinks.removeTitle(asking === 'all')} onClose={() => setAsking(undefined)}>
                <p>{t.sinks.removeDetail}</p>
                <footer class="row end">
                    <Button onClick={() => setAsking(undefined)}>{t.cancel}</Button>
                    <Button kind="danger" onClick={() => void remove()}>
                        {t.remove}
                    </Button>
                </footer>
            </Dialog>
        );
    return (
        <Dialog wide title={t.sinks.lettersOf(sink)} onClose={onClose}>
            <Loaded query={letters}>
                {({ pages }) => {
                    const items = pages.flatMap(page => page.items);
                    if (items.length === 0) return <p role="status">{t.sinks.noLetters}</p>;
                    return (
                        <>
                            <Table
                                label={t.sinks.lettersOf(sink)}
                                head={[
                                    t.system.when,
                                    t.inspections.part,
                                    t.inspections.decision,
                                    t.system.state,
                                    t.sinks.attempts,
                                    t.models.actions,
                                ]}
                            >
                                {items.map(letter => (
                                    <tr key={letter.id}>
                                        <td class="number">{t.time(letter.inspection.at)}</td>
                                        <th scope="row">
                                            {letter.inspection.category} {letter.inspection.part}
                                        </th>
                                        <td>{t.decision[letter.inspection.decision]}</td>
                                        <td class="wrap">
                                            <Badge tone={letter.state === 'refused' ? 'bad' : 'calm'}>
                                                {t.sinks.letterStates[letter.state]}
                                            </Badge>{' '}
                                            <span class="muted">{letter.error}</span>
                                        </td>
                                        <td class="number">{t.number(letter.attempts)}</td>
                                        <td>
                                            <div class="row end nowrap">
                                                <Button onClick={() => void send(letter)}>{t.sinks.send}</Button>
                                                <Button
                                                    icon="trash"
                                                    label={t.remove}
                                                    onClick={() => setAsking(letter)}
                                                />
                                            </div>
                                        </td>
                                    </tr>
                                ))}
                            </Table>
                            {letters.hasNextPage && (
                                <Button
                                    busy={letters.isFetchingNextPage}
                                    onClick={() => void letters.fetchNextPage()}
                                >
                                    {t.system.more}
                                </Button>
                            )}
                            <footer class="row end">
                                <Button icon="trash" onClick={() => setAsking('all')}>
                                    {t.sinks.removeAll}
                                </Button>
                                <Button kind="primary" onClick={() => void sendAll()}>
                                    {t.sinks.sendAll}
                                </Button>
                            </footer>
                        </>
                    );
                }}
            </Loaded>
        </Dialog>
    );
}
