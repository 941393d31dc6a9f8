import { useState } from 'preact/hooks';
import { Button, Field } from '../components/basics';
import { address, prefix } from '../data/address';
import { Refusal } from '../data/api';
import { connected } from '../data/connection';
import { signIn, useSession } from '../data/session';
import { useStore } from '../data/store';
import { Mark } from '../shell';
import { t } from '../texts';

/** Leads to the identity provider, and from there back to this page. */
function providerAddress(): string {
    const page = location.pathname.slice(prefix.length);
    return address(`console/sign-in?${new URLSearchParams({ to: page.startsWith('/console') ? page : '/console' })}`);
}

export function SignIn() {
    const [key, setKey] = useState('');
    const [error, setError] = useState<string>();
    const [busy, setBusy] = useState(false);
    const reachable = useStore(connected);
    const { data: session } = useSession();
    const failed = t.session.failures[new URLSearchParams(location.search).get('sign-in') ?? ''];

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
                {session?.provider && (
                    <>
                        {failed && (
                            <p class="banner bad" role="alert">
                                {failed}
                            </p>
                        )}
                        <a class="button primary large" href={providerAddress()}>
                            {t.session.provider}
                        </a>
                        <p class="muted">{t.session.orKey}</p>
                    </>
                )}
                {!session?.provider && <p>{t.session.lead}</p>}
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
                <Button kind={session?.provider ? 'plain' : 'primary'} large type="submit" busy={busy} disabled={!reachable}>
                    {t.session.submit}
                </Button>
            </form>
        </main>
    );
}
