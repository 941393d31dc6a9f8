import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { Button, Dialog, Field, Panel } from '../components/basics';
import { Check, TextField } from '../components/fields';
import { api, must, type CategoryRequest, type CategoryResponse } from '../data/api';
import { notify, notifyFailure } from '../data/notices';
import { queries } from '../data/queries';
import { useRights } from '../data/session';
import { t } from '../texts';

interface Draft {
    backbone: string;
    imageSize: string;
    alignment: CategoryResponse['alignment'];
    positions: CategoryResponse['positions'];
    reviewRate: string;
    pinned: boolean;
}

const draftOf = (is: CategoryResponse): Draft => ({
    backbone: is.backbone,
    imageSize: is.imageSize == null ? '' : String(is.imageSize),
    alignment: is.alignment,
    positions: is.positions,
    reviewRate: is.reviewRate == null ? '' : String(Number((is.reviewRate * 100).toPrecision(6))),
    pinned: is.pinned,
});

/** The settings that people at the line change, and the end of a category. */
export function Settings({ category }: { category: CategoryResponse }) {
    const { may } = useRights();
    const [draft, setDraft] = useState(() => draftOf(category));
    const [error, setError] = useState<string>();
    const [busy, setBusy] = useState(false);
    const before = draftOf(category);
    const { data: backbones } = useQuery({
        queryKey: ['backbones'],
        staleTime: 60_000,
        queryFn: () => must(api.GET('/v1/backbones')),
    });
    const usable = backbones?.items.filter(one => one.state !== 'available' && !one.error).map(one => one.name) ?? [];
    const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
    const dirty = JSON.stringify(draft) !== JSON.stringify(before);
    const review = draft.reviewRate.trim() === '' ? null : Number(draft.reviewRate.replace(',', '.')) / 100;
    const wrongReview = review !== null && !(review > category.falseRejectRate && review < 1);

    async function save(event: Event) {
        event.preventDefault();
        setBusy(true);
        setError(undefined);
        try {
            await must(
                api.PATCH('/v1/categories/{category}', {
                    params: { path: { category: category.name } },
                    // Only what has changed: someone else may be changing the rest.
                    body: changes(before, draft, review) as CategoryRequest,
                }),
            );
            await queries.invalidateQueries({ queryKey: ['category', category.name] });
            notify(t.settings.saved);
        } catch (failure) {
            setError(failure instanceof Error ? failure.message : String(failure));
        } finally {
            setBusy(false);
        }
    }

    return (
        <div class="panels">
            <Panel title={t.settings.title}>
                <p class="muted">{t.settings.detail}</p>
                <form class="stack" onSubmit={save}>
                    <Field label={t.settings.backbone} hint={t.settings.backboneHint}>
                        {ids => (
                            <select
                                {...ids}
                                value={draft.backbone}
                                onChange={event => set({ backbone: event.currentTarget.value })}
                            >
                                {[...new Set([draft.backbone, ...usable])].map(name => (
                                    <option key={name}>{name}</option>
                                ))}
                            </select>
                        )}
                    </Field>
                    {category.imageSize != null && (
                        <TextField
                            label={t.settings.imageSize}
                            hint={t.settings.imageSizeHint}
                            type="number"
                            min={32}
                            max={8192}
                            required
                            value={draft.imageSize}
                            onValue={imageSize => set({ imageSize })}
                        />
                    )}
                    <Field label={t.settings.alignment}>
                        {ids => (
                            <select
                                {...ids}
                                value={draft.alignment}
                                onChange={event =>
                                    set({ alignment: event.currentTarget.value as Draft['alignment'] })
                                }
                            >
                                <option value="none">{t.settings.alignments.none}</option>
                                <option value="rigid">{t.settings.alignments.rigid}</option>
                            </select>
                        )}
                    </Field>
                    <Field label={t.settings.positions}>
                        {ids => (
                            <select
                                {...ids}
                                value={draft.positions}
                                onChange={event =>
                                    set({ positions: event.currentTarget.value as Draft['positions'] })
                                }
                            >
                                <option value="own">{t.settings.positionsOf.own}</option>
                                <option value="shared">{t.settings.positionsOf.shared}</option>
                            </select>
                        )}
                    </Field>
                    <TextField
                        label={t.settings.reviewRate}
                        hint={t.settings.reviewHint}
                        error={wrongReview ? t.settings.reviewInvalid : undefined}
                        inputMode="decimal"
                        value={draft.reviewRate}
                        onValue={reviewRate => set({ reviewRate })}
                    />
                    <Check checked={draft.pinned} onChecked={pinned => set({ pinned })}>
                        {t.settings.pinned}
                    </Check>
                    {error && (
                        <p class="banner bad" role="alert">
                            {error}
                        </p>
                    )}
                    <footer class="row end">
                        <Button disabled={!dirty} onClick={() => setDraft(before)}>
                            {t.threshold.reset}
                        </Button>
                        <Button kind="primary" type="submit" busy={busy} disabled={!dirty || wrongReview}>
                            {t.save}
                        </Button>
                    </footer>
                    <p class="note">{t.settings.everything}</p>
                </form>
            </Panel>
            {may('admin') && <Danger category={category} />}
        </div>
    );
}

function changes(before: Draft, draft: Draft, review: number | null): Partial<CategoryRequest> {
    return {
        ...(draft.backbone !== before.backbone ? { backbone: draft.backbone } : {}),
        ...(draft.imageSize !== before.imageSize ? { imageSize: Number(draft.imageSize) } : {}),
        ...(draft.alignment !== before.alignment ? { alignment: draft.alignment } : {}),
        ...(draft.positions !== before.positions ? { positions: draft.positions } : {}),
        ...(draft.reviewRate !== before.reviewRate ? { reviewRate: review } : {}),
        ...(draft.pinned !== before.pinned ? { pinned: draft.pinned } : {}),
    };
}

/** Deletes the category, once its name is typed. */
function Danger({ category }: { category: CategoryResponse }) {
    const [asking, setAsking] = useState(false);
    const [text, setText] = useState('');
    const [busy, setBusy] = useState(false);
    const [, go] = useLocation();

    async function remove(event: Event) {
        event.preventDefault();
        setBusy(true);
        try {
            await must(
                api.DELETE('/v1/categories/{category}', { params: { path: { category: category.name } } }),
            );
            // Nothing asks for it any more.
            queries.setQueryData<CategoryResponse[]>(['categories'], all =>
                all?.filter(one => one.name !== category.name),
            );
            go('/console');
            notify(t.settings.deleted(category.name));
        } catch (error) {
            notifyFailure(error);
            setBusy(false);
        }
    }

    return (
        <Panel title={t.settings.dangerTitle}>
            <p>{t.settings.dangerDetail}</p>
            <div class="row">
                <Button icon="trash" onClick={() => setAsking(true)}>
                    {t.settings.delete}
                </Button>
            </div>
            {asking && (
                <Dialog title={t.settings.dangerTitle} onClose={() => setAsking(false)}>
                    <form class="stack" onSubmit={remove}>
                        <p>{t.settings.dangerDetail}</p>
                        <TextField label={t.settings.typeName(category.name)} value={text} onValue={setText} />
                        <footer class="row end">
                            <Button onClick={() => setAsking(false)}>{t.cancel}</Button>
                            <Button kind="danger" type="submit" busy={busy} disabled={text !== category.name}>
                                {t.remove}
                            </Button>
                        </footer>
                    </form>
                </Dialog>
            )}
        </Panel>
    );
}
