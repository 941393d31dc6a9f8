import { useState } from 'preact/hooks';
import { Button, Field } from '../components/basics';
import { Refusal } from '../data/api';
import { connected } from '../data/connection';
import { signIn } from '../data/session';
import { useStore } from '../data/store';
import { Mark } from '../shell';
import { t } from '../texts';

export function SignIn() {
    const [key, setKey] = useState('');
    const [error, setError] = useState<string>();
    const [busy, setBusy] = useState(false);
    const reachable = useStore(connected);

    async function submit(event: Event) {
        event.preventDefault();
        setBusy(true);
        setError(undefined);
        try {
            await signIn(key.trim());
        } catch (failure) {
            setError(failure instanceof Refusal ? failure.message : t.connection.lost);
        } finally {
            setBusy(false);
        }
    }

    return (
        <main class="sign-in">
            <form onSubmit={submit}>
                <Mark />
                <h1>{t.session.title}</h1>
                <p>{t.session.lead}</p>
                <Field label={t.session.key} hint={t.session.keyHint} error={error}>
                    {ids => (
                        <input
                            {...ids}
                            type="password"
                            name="key"
                            autocomplete="current-password"
                            required
                            value={key}
                            onInput={event => setKey(event.currentTarget.value)}
                        />
                    )}
                </Field>
                <Button kind="primary" large type="submit" busy={busy} disabled={!reachable}>
                    {t.session.submit}
                </Button>
            </form>
        </main>
    );
}
