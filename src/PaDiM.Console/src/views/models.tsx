import { useState } from 'preact/hooks';
import { Badge, Button, Dialog, Loaded, Panel, Table } from '../components/basics';
import { useFilePicker } from '../components/drop-zone';
import { Icon } from '../components/icons';
import { api, must, send, type CategoryResponse, type ModelResponse } from '../data/api';
import { address } from '../data/address';
import { notify, notifyFailure } from '../data/notices';
import { queries, useModels } from '../data/queries';
import { useRights } from '../data/session';
import { useModelImages } from '../data/training';
import { t } from '../texts';
import { Evaluations } from './evaluations';
import { actOnShadow, Shadow, startShadow } from './learn';
import { FitControl } from './start';

/** The versions of a category, what changed between them, and what each finds and misses. */
export function Models({ category }: { category: CategoryResponse }) {
    const models = useModels(category.name);
    const { may } = useRights();
    const [deleting, setDeleting] = useState<ModelResponse>();
    const [comparing, setComparing] = useState<ModelResponse>();
    return (
        <div class="stack">
            <Panel
                title={t.models.title}
                actions={
                    <>
                        {may('admin') && <Import category={category} />}
                        <FitControl category={category} />
                    </>
                }
            >
                <Loaded query={models}>
                    {all =>
                        all.length === 0 ? (
                            <p class="muted">{t.models.empty}</p>
                        ) : (
                            <Table
                                label={t.models.title}
                                head={[
                                    t.system.version,
                                    t.models.made,
                                    t.models.images,
                                    t.models.backbone,
                                    t.inspect.threshold,
                                    t.system.size,
                                    t.models.actions,
                                ]}
                            >
                                {all.map((model, i) => (
                                    <tr key={model.version}>
                                        <th scope="row" class="number">
                                            <div class="row nowrap">
                                                {model.version}
                                                {model.active && <Badge tone="good">{t.models.active}</Badge>}
                                                {model.version === category.shadowVersion && (
                                                    <Badge>{t.shadow.badge}</Badge>
                                                )}
                                                {model.state !== 'ready' && (
                                                    <Badge tone="bad">{t.models.states[model.state]}</Badge>
                                                )}
                                            </div>
                                        </th>
                                        <td class="number">{t.time(model.createdAt)}</td>
                                        <td class="number">{t.number(model.imageCount)}</td>
                                        <td>{model.backbone.name}</td>
                                        <td class="number">{model.threshold.toPrecision(4)}</td>
                                        <td class="number">{t.bytes(model.statisticsBytes)}</td>
                                        <td>
                                            <div class="row end">
                                                {all.length > 1 && i < all.length - 1 && (
                                                    <Button kind="quiet" onClick={() => setComparing(model)}>
                                                        {t.models.changes}
                                                    </Button>
                                                )}
                                                {!model.active &&
                                                    model.version !== category.shadowVersion &&
                                                    may('train') && (
                                                        <Button
                                                            kind="quiet"
                                                            onClick={() => void startShadow(category, model.version)}
                                                        >
                                                            {t.shadow.start}
                                                        </Button>
                                                    )}
                                                {!model.active && (
                                                    <Button onClick={() => void activate(category, model.version)}>
                                                        {t.models.activate}
                                                    </Button>
                                                )}
                                                <a
                                                    class="button plain bare"
                                                    href={address(
                                                        `v1/categories/${category.name}/models/${model.version}/export`,
                                                    )}
                                                    aria-label={t.models.download(model.version)}
                                                    title={t.models.download(model.version)}
                                                    download
                                                >
                                                    <Icon name="download" />
                                                </a>
                                                <Button
                                                    icon="trash"
                                                    label={t.models.delete(model.version)}
                                                    disabled={model.active}
                                                    onClick={() => setDeleting(model)}
                                                />
                                            </div>
                                        </td>
                                    </tr>
                                ))}
                            </Table>
                        )
                    }
                </Loaded>
            </Panel>
            <Shadow category={category} />
            <Evaluations category={category} />
            {deleting && <Delete category={category} model={deleting} onClose={() => setDeleting(undefined)} />}
            {comparing && models.data && (
                <Changes
                    category={category}
                    model={comparing}
                    before={models.data[models.data.indexOf(comparing) + 1]!}
                    onClose={() => setComparing(undefined)}
                />
            )}
        </div>
    );
}

function activate(category: CategoryResponse, version: number, isUndo = false): Promise<void> {
    const before = category.activeModelVersion;
    return actOnShadow(
        category,
        () =>
            must(
                api.POST('/v1/categories/{category}/models/{version}/activate', {
                    params: { path: { category: category.name, version } },
                }),
            ),
        t.models.activated(version),
        before != null && !isUndo ? { label: t.undo, run: () => void activate(category, before, true) } : undefined,
    );
}

function Delete(props: { category: CategoryResponse; model: ModelResponse; onClose: () => void }) {
    const [busy, setBusy] = useState(false);
    const { category, model } = props;
    async function remove() {
        setBusy(true);
        try {
            await must(
                api.DELETE('/v1/categories/{category}/models/{version}', {
                    params: { path: { category: category.name, version: model.version } },
                }),
            );
        } catch (error) {
            notifyFailure(error);
        }
        await queries.invalidateQueries({ queryKey: ['models', category.name] });
        props.onClose();
    }
    return (
        <Dialog title={t.models.deleteTitle(model.version)} onClose={props.onClose}>
            <p>{t.models.deleteDetail}</p>
            <footer class="row end">
                <Button onClick={props.onClose}>{t.cancel}</Button>
                <Button kind="danger" busy={busy} onClick={() => void remove()}>
                    {t.remove}
                </Button>
            </footer>
        </Dialog>
    );
}

/** What is different from the version before. */
function Changes(props: {
    category: CategoryResponse;
    model: ModelResponse;
    before: ModelResponse;
    onClose: () => void;
}) {
    const { category, model, before } = props;
    const now = useModelImages(category.name, model.version);
    const then = useModelImages(category.name, before.version);
    const had = new Set(then.data?.map(image => image.sha256));
    const has = new Set(now.data?.map(image => image.sha256));
    const added = [...has].filter(one => !had.has(one)).length;
    const removed = [...had].filter(one => !has.has(one)).length;
    const rows: [string, string, string][] = [
        [t.models.images, t.number(before.imageCount), t.number(model.imageCount)],
        [t.models.backbone, before.backbone.name, model.backbone.name],
        [t.models.dimensions, t.number(before.dimensions), t.number(model.dimensions)],
        [t.models.positions, before.grid.join(' × '), model.grid.join(' × ')],
        [t.models.shrinkage, before.shrinkage ?? '–', model.shrinkage ?? '–'],
        [t.inspect.threshold, before.threshold.toPrecision(4), model.threshold.toPrecision(4)],
        [t.models.median, before.looScores.median.toPrecision(4), model.looScores.median.toPrecision(4)],
        [t.models.findings, t.number(standOut(before)), t.number(standOut(model))],
    ];
    return (
        <Dialog wide title={t.models.changesTitle(before.version, model.version)} onClose={props.onClose}>
            {now.data && then.data && <p>{t.models.imagesChanged(added, removed)}</p>}
            <Table
                label={t.models.changes}
                head={[t.models.what, t.jobs.version(before.version), t.jobs.version(model.version)]}
            >
                {rows.map(([label, old, current]) => (
                    <tr key={label}>
                        <th scope="row">{label}</th>
                        <td class="number muted">{old}</td>
                        <td class="number">
                            {old === current ? <span class="muted">{current}</span> : <strong>{current}</strong>}
                        </td>
                    </tr>
                ))}
            </Table>
        </Dialog>
    );
}

const standOut = (model: ModelResponse) => model.outliers.length + model.findings.length;

function Import({ category }: { category: CategoryResponse }) {
    const [busy, setBusy] = useState(false);
    const picker = useFilePicker(picked => void load(picked.images[0]!), 'model');
    async function load(file: File) {
        setBusy(true);
        try {
            const model = await send<ModelResponse>(
                `v1/categories/${category.name}/models/import?activate=false`,
                file,
                { headers: { 'Content-Type': 'application/octet-stream' } },
            );
            notify(t.models.imported(model.version));
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
        await queries.invalidateQueries({ queryKey: ['models', category.name] });
    }
    return (
        <>
            <Button icon="upload" busy={busy} onClick={picker.open}>
                {t.models.import}
            </Button>
            {picker.element}
        </>
    );
}
