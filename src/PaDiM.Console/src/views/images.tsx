import { useMemo, useState } from 'preact/hooks';
import { Badge, Button, Dialog, Empty, Field, Loaded } from '../components/basics';
import { Icon } from '../components/icons';
import { VirtualGrid } from '../components/virtual-grid';
import type { CategoryResponse, ImageResponse } from '../data/api';
import { imageAddress } from '../data/address';
import { notify, notifyFailure } from '../data/notices';
import { useImages } from '../data/queries';
import { compare, getChecks, relabel, removeImages, urgency, useModel, useModelImages, type Check } from '../data/training';
import { t } from '../texts';
import { AddImages } from './add-images';
import { ImageViewer } from './image-viewer';
import { MaskEditor } from './mask-editor';
import { FitControl } from './start';

const byName = new Intl.Collator(t.locale, { numeric: true });

type Filter = 'all' | 'good' | 'heldOut' | 'bad' | 'check';

/** All images of a category, those that stand out first. */
export function Images({ category }: { category: CategoryResponse }) {
    const source = category.imagesOf ?? category.name;
    const images = useImages(source);
    const { data: model } = useModel(category.name, category.activeModelVersion);
    const { data: modelImages } = useModelImages(category.name, category.activeModelVersion);
    const [filter, setFilter] = useState<Filter>('all');
    const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
    const [opened, setOpened] = useState<string>();
    const [adding, setAdding] = useState(false);
    const [masking, setMasking] = useState(false);

    const checks = useMemo(() => getChecks(model?.outliers ?? [], model?.findings ?? []), [model]);
    const fitted = useMemo(() => modelImages && new Set(modelImages.map(image => image.sha256)), [modelImages]);
    const shown = useMemo(
        () =>
            (images.data ?? [])
                .filter(image => passes(image, filter, checks))
                .sort(
                    (a, b) =>
                        urgency(checks.get(b.id)) - urgency(checks.get(a.id)) ||
                        byName.compare(a.fileName, b.fileName),
                ),
        [images.data, filter, checks],
    );
    const counts = useMemo(
        () =>
            Object.fromEntries(
                (['all', 'good', 'heldOut', 'bad', 'check'] as const).map(one => [
                    one,
                    (images.data ?? []).filter(image => passes(image, one, checks)).length,
                ]),
            ) as Record<Filter, number>,
        [images.data, checks],
    );
    const index = shown.findIndex(image => image.id === opened);
    const selected = shown.filter(image => chosen.has(image.id));

    return (
        <>
            <div class="row spread">
                <div class="row" role="group" aria-label={t.images.filter}>
                    {(Object.keys(counts) as Filter[])
                        .filter(one => one === 'all' || counts[one] > 0)
                        .map(one => (
                            <Button key={one} pressed={filter === one} onClick={() => setFilter(one)}>
                                {t.images.filters[one]} ({t.number(counts[one])})
                            </Button>
                        ))}
                </div>
                {!category.imagesOf && (
                    <div class="row">
                        <Button icon="brush" onClick={() => setMasking(true)} disabled={counts.good === 0}>
                            {t.mask.open}
                        </Button>
                        <Button icon="plus" pressed={adding} onClick={() => setAdding(!adding)}>
                            {t.images.add}
                        </Button>
                    </div>
                )}
            </div>
            {category.imagesOf && <p class="banner">{t.images.elsewhere(category.imagesOf)}</p>}
            {adding && <AddImages category={category.name} all />}
            {fitted && images.data && <SinceFit category={category} change={compare(images.data, fitted)} />}
            {filter === 'check' && <p class="muted">{t.images.checkDetail}</p>}
            <Loaded query={images}>
                {all =>
                    all.length === 0 ? (
                        <Empty title={t.images.empty} icon="image">
                            {!adding && !category.imagesOf && (
                                <Button kind="primary" large icon="plus" onClick={() => setAdding(true)}>
                                    {t.images.add}
                                </Button>
                            )}
                        </Empty>
                    ) : (
                        <VirtualGrid
                            count={shown.length}
                            width={10}
                            extra={2.6}
                            label={t.tabs.images}
                            render={i => (
                                <Tile
                                    category={source}
                                    image={shown[i]!}
                                    check={checks.get(shown[i]!.id)}
                                    isNew={fitted !== undefined && !fitted.has(shown[i]!.sha256)}
                                    chosen={chosen.has(shown[i]!.id)}
                                    onOpen={() => setOpened(shown[i]!.id)}
                                    onChoose={() => setChosen(toggle(chosen, shown[i]!.id))}
                                />
                            )}
                        />
                    )
                }
            </Loaded>
            {selected.length > 0 && (
                <Selection
                    category={source}
                    images={selected}
                    all={shown}
                    onChoose={setChosen}
                />
            )}
            {index >= 0 && (
                <ImageViewer
                    category={source}
                    image={shown[index]!}
                    check={checks.get(shown[index]!.id)}
                    all={images.data ?? []}
                    onClose={() => setOpened(undefined)}
                    {...(index > 0 ? { onPrevious: () => setOpened(shown[index - 1]!.id) } : {})}
                    {...(index < shown.length - 1 ? { onNext: () => setOpened(shown[index + 1]!.id) } : {})}
                />
            )}
            {masking && (
                <MaskEditor category={category} images={images.data ?? []} onClose={() => setMasking(false)} />
            )}
        </>
    );
}

function passes(image: ImageResponse, filter: Filter, checks: ReadonlyMap<string, Check>): boolean {
    switch (filter) {
        case 'good':
            return image.label === 'normal' && !image.heldOut;
        case 'heldOut':
            return image.heldOut;
        case 'bad':
            return image.label === 'anomalous';
        case 'check':
            return checks.has(image.id);
        default:
            return true;
    }
}

function toggle(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
    const next = new Set(set);
    if (!next.delete(id)) next.add(id);
    return next;
}

function SinceFit({ category, change }: { category: CategoryResponse; change: { added: number; removed: number } }) {
    if (change.added + change.removed === 0) return null;
    return (
        <div class="banner since-fit">
            <Icon name="warn" />
            <span class="grow">
                {t.images.since(category.activeModelVersion ?? 0, change.added, change.removed)}
            </span>
            <FitControl category={category} />
        </div>
    );
}

function Tile(props: {
    category: string;
    image: ImageResponse;
    check: Check | undefined;
    isNew: boolean;
    chosen: boolean;
    onOpen: () => void;
    onChoose: () => void;
}) {
    const { image, check } = props;
    const finding = describe(check);
    return (
        <div class={props.chosen ? 'tile chosen' : 'tile'}>
            <button type="button" class="tile-picture" onClick={props.onOpen} aria-label={t.images.open(image.fileName)}>
                <img src={imageAddress(props.category, image.id, 'thumbnail')} alt="" loading="lazy" decoding="async" />
                <span class="tile-badges">
                    {image.label === 'anomalous' && <Badge tone="bad">{image.defect ?? t.images.defective}</Badge>}
                    {image.heldOut && <Badge>{t.images.filters.heldOut}</Badge>}
                    {finding && <Badge tone="review">{finding}</Badge>}
                    {props.isNew && image.label === 'normal' && !image.heldOut && <Badge>{t.images.isNew}</Badge>}
                </span>
            </button>
            <label class="tile-foot">
                <input type="checkbox" checked={props.chosen} onChange={props.onChoose} />
                <span class="ellipsis">{image.fileName}</span>
            </label>
        </div>
    );
}

export function describe(check: Check | undefined): string | undefined {
    if (!check) return undefined;
    if (check.outlier) return t.images.outlier;
    const kind = check.findings[0]?.kind;
    return kind && t.images.kinds[kind];
}

/** What can be done with the images that are chosen. */
function Selection(props: {
    category: string;
    images: readonly ImageResponse[];
    all: readonly ImageResponse[];
    onChoose: (ids: ReadonlySet<string>) => void;
}) {
    const { images } = props;
    const [asking, setAsking] = useState<'delete' | 'defect'>();
    const [busy, setBusy] = useState(false);
    const none: ReadonlySet<string> = new Set();

    async function run(work: () => Promise<void>, done: string, undo?: () => Promise<void>) {
        setBusy(true);
        try {
            await work();
            notify(done, 'done', undo && { label: t.undo, run: () => void undo().catch(notifyFailure) });
            props.onChoose(none);
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
            setAsking(undefined);
        }
    }

    const label = (set: { label: 'normal' | 'anomalous'; heldOut: boolean; defect?: string }) =>
        run(
            () => relabel(props.category, images, set),
            t.images.relabelled(images.length),
            images.some(image => image.hasMask) && set.label === 'normal' ? undefined : () => restore(images),
        );

    /** Gives each image the label that it had. */
    async function restore(before: readonly ImageResponse[]) {
        const groups = new Map<string, ImageResponse[]>();
        for (const image of before) {
            const key = JSON.stringify([image.label, image.defect, image.heldOut]);
            groups.set(key, [...(groups.get(key) ?? []), image]);
        }
        for (const group of groups.values())
            await relabel(props.category, group, {
                label: group[0]!.label,
                heldOut: group[0]!.heldOut,
                defect: group[0]!.defect ?? null,
            });
    }

    return (
        <div class="selection" role="region" aria-label={t.images.selection}>
            <strong class="grow" role="status">
                {t.images.chosen(images.length)}
            </strong>
            {images.length < props.all.length && (
                <Button kind="quiet" onClick={() => props.onChoose(new Set(props.all.map(image => image.id)))}>
                    {t.images.chooseAll(props.all.length)}
                </Button>
            )}
            <Button disabled={busy} onClick={() => void label({ label: 'normal', heldOut: false })}>
                {t.images.toGood}
            </Button>
            <Button disabled={busy} onClick={() => void label({ label: 'normal', heldOut: true })}>
                {t.images.toHeldOut}
            </Button>
            <Button disabled={busy} onClick={() => setAsking('defect')}>
                {t.images.toBad}
            </Button>
            <Button disabled={busy} icon="trash" onClick={() => setAsking('delete')}>
                {t.remove}
            </Button>
            <Button kind="quiet" icon="close" label={t.images.chooseNone} onClick={() => props.onChoose(none)} />
            {asking === 'delete' && (
                <Dialog title={t.images.deleteTitle(images.length)} onClose={() => setAsking(undefined)}>
                    <p>{t.images.deleteDetail}</p>
                    <footer class="row end">
                        <Button onClick={() => setAsking(undefined)}>{t.cancel}</Button>
                        <Button
                            kind="danger"
                            busy={busy}
                            onClick={() =>
                                void run(() => removeImages(props.category, images), t.images.deleted(images.length))
                            }
                        >
                            {t.remove}
                        </Button>
                    </footer>
                </Dialog>
            )}
            {asking === 'defect' && (
                <AskDefect
                    busy={busy}
                    onClose={() => setAsking(undefined)}
                    onDefect={defect =>
                        void label({ label: 'anomalous', heldOut: false, ...(defect ? { defect } : {}) })
                    }
                />
            )}
        </div>
    );
}

export function AskDefect(props: { busy: boolean; onClose: () => void; onDefect: (defect: string) => void }) {
    const [defect, setDefect] = useState('');
    return (
        <Dialog title={t.images.toBad} onClose={props.onClose}>
            <form
                class="stack"
                onSubmit={event => {
                    event.preventDefault();
                    props.onDefect(defect.trim());
                }}
            >
                <Field label={t.upload.defect} hint={t.upload.defectHint}>
                    {ids => (
                        <input
                            {...ids}
                            type="text"
                            maxLength={64}
                            value={defect}
                            onInput={event => setDefect(event.currentTarget.value)}
                        />
                    )}
                </Field>
                <footer class="row end">
                    <Button onClick={props.onClose}>{t.cancel}</Button>
                    <Button kind="primary" type="submit" busy={props.busy}>
                        {t.images.toBad}
                    </Button>
                </footer>
            </form>
        </Dialog>
    );
}
