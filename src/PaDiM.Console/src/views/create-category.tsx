import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { Button, Dialog } from '../components/basics';
import { Choices, TextField } from '../components/fields';
import { api, must, type CategoryRequest, type CategoryResponse } from '../data/api';
import { queries } from '../data/queries';
import { t } from '../texts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

type Kind = keyof typeof t.create.kinds;

const settings: Record<Kind, Omit<CategoryRequest, 'pinned'>> = {
    fixed: {},
    moving: { alignment: 'rigid' },
    texture: { positions: 'shared', imageScore: 'top' },
};

export function CreateCategory({ onClose, taken }: { onClose: () => void; taken: readonly CategoryResponse[] }) {
    const [name, setName] = useState('');
    const [kind, setKind] = useState<Kind>('fixed');
    const [error, setError] = useState<string>();
    const [busy, setBusy] = useState(false);
    const [, go] = useLocation();

    async function submit(event: Event) {
        event.preventDefault();
        const wanted = name.trim();
        if (!NAME.test(wanted)) return setError(t.create.nameInvalid);
        // Whoever creates it twice would reset its settings.
        if (taken.some(category => category.name === wanted)) return setError(t.create.nameTaken);
        setBusy(true);
        try {
            await must(
                api.PUT('/v1/categories/{category}', {
                    params: { path: { category: wanted } },
                    body: { pinned: false, ...settings[kind] },
                }),
            );
            await queries.invalidateQueries({ queryKey: ['categories'] });
            go(`/console/c/${wanted}`);
        } catch (failure) {
            setError(failure instanceof Error ? failure.message : String(failure));
            setBusy(false);
        }
    }

    return (
        <Dialog title={t.create.title} onClose={onClose}>
            <form onSubmit={submit} class="stack" noValidate>
                <TextField
                    label={t.create.name}
                    hint={t.create.nameHint}
                    error={error}
                    maxLength={64}
                    value={name}
                    onValue={setName}
                />
                <Choices
                    legend={t.create.kind}
                    name="kind"
                    options={t.create.kinds}
                    chosen={kind}
                    onChosen={setKind}
                />
                <footer class="row end">
                    <Button onClick={onClose}>{t.cancel}</Button>
                    <Button kind="primary" type="submit" busy={busy}>
                        {t.create.submit}
                    </Button>
                </footer>
            </form>
        </Dialog>
    );
}
