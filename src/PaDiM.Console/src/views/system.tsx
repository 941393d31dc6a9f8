import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Badge, Button, Dialog, Field, Loaded, Panel, Progress, Table, type Tone } from '../components/basics';
import {
    api,
    must,
    type AccessScope,
    type HealthResponse,
    type KeyResponse,
    type NewKeyResponse,
    type SystemResponse,
} from '../data/api';
import { address } from '../data/address';
import { reach } from '../data/connection';
import { notify, notifyFailure } from '../data/notices';
import { CALM_MS, queries, replicas, useSystem } from '../data/queries';
import { useRights } from '../data/session';
import { useStore } from '../data/store';
import { t } from '../texts';
import { Sinks } from './sinks';

export function System() {
    const system = useSystem();
    const { may, everywhere } = useRights();
    const admin = may('admin') && everywhere;
    return (
        <>
            <header class="page-head">
                <h1>{t.system.title}</h1>
            </header>
            <div class="panels">
                <Health />
                <Loaded query={system}>
                    {is => (
                        <>
                            <About system={is} />
                            <Memory system={is} />
                            <Load system={is} />
                            <Models system={is} />
                            <Backbones system={is} />
                            <Replicas />
                        </>
                    )}
                </Loaded>
                {admin && (
                    <>
                        <Sinks />
                        <Files />
                        <Keys />
                        <Audit />
                    </>
                )}
            </div>
        </>
    );
}

function About({ system }: { system: SystemResponse }) {
    return (
        <Panel title={t.system.device}>
            <dl class="facts">
                <dt>{t.system.device}</dt>
                <dd>
                    {system.device} ({system.executionProvider})
                </dd>
                <dt>{t.system.threads}</dt>
                <dd>{t.number(system.threads)}</dd>
                <dt>{t.system.version}</dt>
                <dd title={system.version}>{system.version.split('+')[0]}</dd>
                <dt>{t.system.runtime}</dt>
                <dd>{system.onnxRuntime}</dd>
                <dt>{t.system.replica}</dt>
                <dd>{system.replica}</dd>
                <dt>{t.system.access}</dt>
                <dd>{system.keyRequired ? t.system.accessKey : t.system.accessOpen}</dd>
            </dl>
        </Panel>
    );
}

function Memory({ system }: { system: SystemResponse }) {
    const { memory } = system;
    return (
        <Panel title={t.system.memory}>
            <Meter label={t.system.used} value={memory.workingSet} of={memory.limit.bytes} />
            <Meter label={t.system.models} value={system.modelCache.bytes} of={system.modelCache.budgetBytes} />
        </Panel>
    );
}

/** How busy the replica is that answered. */
function Load({ system }: { system: SystemResponse }) {
    const { queue, disk } = system;
    return (
        <Panel title={t.system.load}>
            <Meter
                label={t.system.queue}
                value={queue.images}
                of={queue.capacity}
                format={t.number}
            />
            {queue.refused > 0 && <p class="muted">{t.system.refused(queue.refused)}</p>}
            <Meter label={t.system.disk} value={disk.sizeBytes - disk.freeBytes} of={disk.sizeBytes} />
            {disk.usableBytes === 0 && <p class="banner bad">{t.system.diskFull}</p>}
        </Panel>
    );
}

/** What probes see: each check, and why it fails. */
function Health() {
    const health = useQuery({
        queryKey: ['health'],
        queryFn: async () => {
            const response = await reach(address('health/ready'));
            return (await response.json()) as HealthResponse;
        },
        refetchInterval: CALM_MS,
    });
    const tone = (status: string | undefined): Tone =>
        status === 'ok' ? 'good' : status === 'degraded' ? 'review' : 'bad';
    return (
        <Panel title={t.system.health}>
            <Loaded query={health}>
                {is => (
                    <>
                        <Badge tone={tone(is.status)}>{t.system.healthOf[is.status] ?? is.status}</Badge>
                        {Object.entries(is.checks)
                            .filter(([, state]) => state !== 'ok' && state.includes(':'))
                            .map(([name, state]) => (
                                <p key={name} class={`banner ${tone(state.split(':')[0])}`}>
                                    {name}: {state.slice(state.indexOf(':') + 1)}
                                </p>
                            ))}
                    </>
                )}
            </Loaded>
        </Panel>
    );
}

/** Replicas behind one address: a balancer leads from one to the next. */
function Replicas() {
    const known = useStore(replicas);
    if (known.length < 2) return null;
    return (
        <Panel title={t.system.replicas}>
            <p class="muted">{t.system.replicasDetail}</p>
            <Table
                label={t.system.replicas}
                head={[t.system.name, t.system.role, t.system.device, t.system.version, t.system.queue]}
            >
                {known.map(one => (
                    <tr key={one.replica}>
                        <th scope="row">{one.replica}</th>
                        <td>{t.system.roles[one.role]}</td>
                        <td>{one.device}</td>
                        <td>{one.version.split('+')[0]}</td>
                        <td class="number">
                            {t.number(one.queue.images)} / {t.number(one.queue.capacity)}
                        </td>
                    </tr>
                ))}
            </Table>
        </Panel>
    );
}

function Meter(props: { label: string; value: number; of: number; format?: (value: number) => string }) {
    const { label, value, of, format = t.bytes } = props;
    return (
        <div class="meter">
            <span>{label}</span>
            <span class="number">
                {format(value)} / {format(of)}
            </span>
            <Progress value={of > 0 ? Math.min(1, value / of) : 0} label={label} />
        </div>
    );
}

function Models({ system }: { system: SystemResponse }) {
    const { models } = system.modelCache;
    return (
        <Panel title={t.system.models}>
            {models.length === 0 && <p class="muted">{t.system.noModels}</p>}
            {models.length > 0 && (
                <Table
                    label={t.system.models}
                    head={[t.jobs.category, t.system.version, t.system.size, t.system.lastUsed]}
                >
                    {models.map(model => (
                        <tr key={`${model.category}/${model.version}`}>
                            <th scope="row">{model.category}</th>
                            <td class="number">
                                {model.version} {model.pinned && <Badge>{t.system.pinned}</Badge>}
                            </td>
                            <td class="number">{t.bytes(model.bytes)}</td>
                            <td class="number">{t.time(model.lastUsedAt)}</td>
                        </tr>
                    ))}
                </Table>
            )}
            {system.damagedModels.map(model => (
                <p key={`${model.category}/${model.version}`} class="banner bad">
                    {t.system.damaged}: {model.category}, {t.jobs.version(model.version)},{' '}
                    {model.serving ? t.system.standIn(model.serving) : t.system.noStandIn}
                </p>
            ))}
        </Panel>
    );
}

function Backbones({ system }: { system: SystemResponse }) {
    return (
        <Panel title={t.system.backbones}>
            <Table label={t.system.backbones} head={[t.system.name, t.system.state]}>
                {system.backbones.map(backbone => (
                    <tr key={backbone.name}>
                        <th scope="row">{backbone.name}</th>
                        <td>
                            {backbone.error ? (
                                <Badge tone="bad">{backbone.error}</Badge>
                            ) : backbone.builtIn ? (
                                t.system.builtIn
                            ) : (
                                t.system.installed
                            )}
                        </td>
                    </tr>
                ))}
            </Table>
        </Panel>
    );
}

function Files() {
    const scrub = useQuery({
        queryKey: ['scrub'],
        queryFn: () => must(api.GET('/v1/system/scrub')),
        refetchInterval: query => (query.state.data?.running ? 1000 : false),
    });
    async function start() {
        try {
            await must(api.POST('/v1/system/scrub'));
        } catch (error) {
            notifyFailure(error);
        }
        await queries.invalidateQueries({ queryKey: ['scrub'] });
    }
    return (
        <Panel
            title={t.system.files}
            actions={
                <Button busy={scrub.data?.running ?? false} onClick={() => void start()}>
                    {t.system.scrub}
                </Button>
            }
        >
            <Loaded query={scrub}>
                {({ running, checked, lastReport }) => (
                    <p role="status">
                        {running
                            ? t.system.scrubRunning(checked)
                            : !lastReport
                              ? t.system.scrubNever
                              : lastReport.missing.count + lastReport.damaged.count > 0
                                ? t.system.scrubFound(lastReport.missing.count, lastReport.damaged.count)
                                : t.system.scrubClean(lastReport.checked)}
                        {!running && lastReport && <span class="muted"> ({t.time(lastReport.finishedAt)})</span>}
                    </p>
                )}
            </Loaded>
        </Panel>
    );
}

function Keys() {
    const keys = useQuery({
        queryKey: ['keys'],
        queryFn: () => must(api.GET('/v1/keys', { params: { query: { limit: 1000 } } })),
    });
    const [revoking, setRevoking] = useState<KeyResponse>();
    const [creating, setCreating] = useState(false);
    return (
        <Panel
            class="whole"
            title={t.system.keys}
            actions={
                <Button icon="plus" onClick={() => setCreating(true)}>
                    {t.system.newKey}
                </Button>
            }
        >
            <Loaded query={keys}>
                {({ items }) =>
                    items.length === 0 ? (
                        <p class="muted">{t.system.noKeys}</p>
                    ) : (
                        <Table
                            label={t.system.keys}
                            head={[
                                t.system.name,
                                t.system.scope,
                                t.system.categories,
                                t.system.expires,
                                t.system.lastUsed,
                                t.system.state,
                            ]}
                        >
                            {items.map(key => (
                                <tr key={key.id}>
                                    <th scope="row">{key.name}</th>
                                    <td>{t.session.scopes[key.scope]}</td>
                                    <td>{key.categories?.join(', ') ?? t.system.allCategories}</td>
                                    <td class="number">{key.expiresAt ? t.time(key.expiresAt) : t.system.never}</td>
                                    <td class="number">{key.lastUsedAt ? t.time(key.lastUsedAt) : t.system.never}</td>
                                    <td>
                                        <KeyState item={key} onRevoke={() => setRevoking(key)} />
                                    </td>
                                </tr>
                            ))}
                        </Table>
                    )
                }
            </Loaded>
            {revoking && <Revoke item={revoking} onClose={() => setRevoking(undefined)} />}
            {creating && <NewKey onClose={() => setCreating(false)} />}
        </Panel>
    );
}

function KeyState({ item, onRevoke }: { item: KeyResponse; onRevoke: () => void }) {
    if (item.revokedAt) return <Badge>{t.system.revoked}</Badge>;
    if (item.expiresAt && Date.parse(item.expiresAt) <= Date.now()) return <Badge>{t.system.expired}</Badge>;
    return (
        <div class="row">
            <Badge tone="good">{t.system.active}</Badge>
            <Button kind="quiet" onClick={onRevoke}>
                {t.system.revoke}
            </Button>
        </div>
    );
}

function Revoke({ item, onClose }: { item: KeyResponse; onClose: () => void }) {
    const [busy, setBusy] = useState(false);
    async function revoke() {
        setBusy(true);
        try {
            await must(api.DELETE('/v1/keys/{id}', { params: { path: { id: item.id } } }));
        } catch (error) {
            notifyFailure(error);
        }
        await queries.invalidateQueries();
        onClose();
    }
    return (
        <Dialog title={t.system.revokeTitle(item.name)} onClose={onClose}>
            <p>{t.system.revokeDetail}</p>
            <footer class="row end">
                <Button onClick={onClose}>{t.cancel}</Button>
                <Button kind="danger" busy={busy} onClick={() => void revoke()}>
                    {t.system.revoke}
                </Button>
            </footer>
        </Dialog>
    );
}

function NewKey({ onClose }: { onClose: () => void }) {
    const [name, setName] = useState('');
    const [scope, setScope] = useState<AccessScope>('score');
    const [error, setError] = useState<string>();
    const [made, setMade] = useState<NewKeyResponse>();
    async function create(event: Event) {
        event.preventDefault();
        try {
            setMade(await must(api.POST('/v1/keys', { body: { name: name.trim(), scope } })));
            await queries.invalidateQueries();
        } catch (failure) {
            setError(failure instanceof Error ? failure.message : String(failure));
        }
    }
    if (made)
        return (
            <Dialog title={t.system.newKey} onClose={onClose}>
                <p>{t.system.newKeyShown}</p>
                <output class="secret">{made.key}</output>
                <footer class="row end">
                    <Button onClick={() => void copy(made.key)}>{t.system.copy}</Button>
                    <Button kind="primary" onClick={onClose}>
                        {t.close}
                    </Button>
                </footer>
            </Dialog>
        );
    return (
        <Dialog title={t.system.newKey} onClose={onClose}>
            <form class="stack" onSubmit={create}>
                <Field label={t.system.name} error={error}>
                    {ids => (
                        <input
                            {...ids}
                            type="text"
                            required
                            maxLength={64}
                            autocomplete="off"
                            value={name}
                            onInput={event => setName(event.currentTarget.value)}
                        />
                    )}
                </Field>
                <Field label={t.system.scope}>
                    {ids => (
                        <select
                            {...ids}
                            value={scope}
                            onChange={event => setScope(event.currentTarget.value as AccessScope)}
                        >
                            {(['score', 'review', 'train', 'admin'] as const).map(choice => (
                                <option key={choice} value={choice}>
                                    {t.session.scopes[choice]}
                                </option>
                            ))}
                        </select>
                    )}
                </Field>
                <footer class="row end">
                    <Button onClick={onClose}>{t.cancel}</Button>
                    <Button kind="primary" type="submit">
                        {t.system.newKey}
                    </Button>
                </footer>
            </form>
        </Dialog>
    );
}

async function copy(text: string): Promise<void> {
    try {
        await navigator.clipboard.writeText(text);
        notify(t.system.copied);
    } catch (error) {
        notifyFailure(error);
    }
}

function Audit() {
    const trail = useInfiniteQuery({
        queryKey: ['audit'],
        initialPageParam: undefined as string | undefined,
        queryFn: ({ pageParam }) =>
            must(api.GET('/v1/audit', { params: { query: { limit: 50, cursor: pageParam } } })),
        getNextPageParam: page => page.nextCursor ?? undefined,
    });
    return (
        <Panel class="whole" title={t.system.audit}>
            <Loaded query={trail}>
                {({ pages }) => (
                    <>
                        <Table
                            label={t.system.audit}
                            head={[t.system.when, t.system.who, t.system.what, t.system.where, t.system.outcome]}
                        >
                            {pages
                                .flatMap(page => page.items)
                                .map((entry, i) => (
                                    <tr key={i}>
                                        <td class="number">{t.time(entry.at)}</td>
                                        <th scope="row">{entry.actor}</th>
                                        <td>{entry.action}</td>
                                        <td class="wrap">{entry.target}</td>
                                        <td class="number">{entry.status ?? ''}</td>
                                    </tr>
                                ))}
                        </Table>
                        {trail.hasNextPage && (
                            <Button busy={trail.isFetchingNextPage} onClick={() => void trail.fetchNextPage()}>
                                {t.system.more}
                            </Button>
                        )}
                    </>
                )}
            </Loaded>
        </Panel>
    );
}
