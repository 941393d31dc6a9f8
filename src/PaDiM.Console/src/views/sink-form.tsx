import { useState } from 'preact/hooks';
import { Button, Dialog, Field } from '../components/basics';
import { Check, Choices, TextField } from '../components/fields';
import { api, must, type SinkResponse } from '../data/api';
import { notify } from '../data/notices';
import { queries } from '../data/queries';
import { decisions, draftOf, requestOf, type SinkDraft } from '../data/sinks';
import { t } from '../texts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

interface PartProps {
    draft: SinkDraft;
    set: (change: Partial<SinkDraft>) => void;
    /** Whether it is stored already, with its secrets. */
    stored: SinkResponse | undefined;
}

/** Asks for a new sink, or changes one. */
export function SinkForm(props: { stored?: SinkResponse | undefined; taken: readonly string[]; onClose: () => void }) {
    const { stored } = props;
    const [draft, setDraft] = useState(() => draftOf(stored));
    const [error, setError] = useState<string>();
    const [busy, setBusy] = useState(false);
    const set = (change: Partial<SinkDraft>) => setDraft(before => ({ ...before, ...change }));
    const name = draft.name.trim();
    const wrongName =
        stored || name === '' ? undefined : !NAME.test(name) ? t.create.nameInvalid : props.taken.includes(name) ? t.sinks.nameTaken : undefined;

    async function save(event: Event) {
        event.preventDefault();
        if (wrongName) return;
        setBusy(true);
        setError(undefined);
        try {
            await must(
                api.PUT('/v1/sinks/{sink}', { params: { path: { sink: name } }, body: requestOf(draft, stored) }),
            );
            notify(t.sinks.saved(name));
            props.onClose();
        } catch (failure) {
            setError(failure instanceof Error ? failure.message : String(failure));
            setBusy(false);
        }
        await queries.invalidateQueries({ queryKey: ['sinks'] });
    }

    const Receiver = { webhook: Webhook, mqtt: Broker, folder: Folder }[draft.kind];
    return (
        <Dialog title={stored ? t.sinks.change(stored.name) : t.sinks.create} onClose={props.onClose}>
            <form class="stack" onSubmit={save}>
                {!stored && (
                    <>
                        <TextField
                            label={t.system.name}
                            hint={t.sinks.nameHint}
                            error={wrongName}
                            required
                            maxLength={64}
                            value={draft.name}
                            onValue={value => set({ name: value })}
                        />
                        <Choices
                            legend={t.sinks.kind}
                            name="kind"
                            options={t.sinks.kinds}
                            chosen={draft.kind}
                            onChosen={kind => set({ kind })}
                        />
                    </>
                )}
                <Receiver draft={draft} set={set} stored={stored} />
                <fieldset class="row">
                    <legend>{t.sinks.decisions}</legend>
                    {decisions.map(one => (
                        <Check
                            key={one}
                            checked={draft.decisions.includes(one)}
                            onChecked={on =>
                                set({
                                    decisions: decisions.filter(other => (other === one ? on : draft.decisions.includes(other))),
                                })
                            }
                        >
                            {t.decision[one]}
                        </Check>
                    ))}
                </fieldset>
                <TextField
                    label={t.sinks.categories}
                    hint={t.sinks.categoriesHint}
                    value={draft.categories}
                    onValue={categories => set({ categories })}
                />
                <Check checked={draft.enabled} onChecked={enabled => set({ enabled })}>
                    {t.sinks.enabled}
                </Check>
                {error && (
                    <p class="banner bad" role="alert">
                        {error}
                    </p>
                )}
                <footer class="row end">
                    <Button onClick={props.onClose}>{t.cancel}</Button>
                    <Button kind="primary" type="submit" busy={busy} disabled={draft.decisions.length === 0}>
                        {t.save}
                    </Button>
                </footer>
            </form>
        </Dialog>
    );
}

function Webhook({ draft, set, stored }: PartProps) {
    return (
        <>
            <TextField
                label={t.sinks.url}
                type="url"
                required
                maxLength={2048}
                placeholder="https://"
                value={draft.url}
                onValue={url => set({ url })}
            />
            <TextField
                label={t.sinks.secret}
                hint={stored ? t.sinks.secretStays : t.sinks.secretHint}
                required={!stored}
                value={draft.secret}
                onValue={secret => set({ secret })}
            />
            <Check checked={draft.allowPrivate} onChecked={allowPrivate => set({ allowPrivate })}>
                {t.sinks.allowPrivate}
            </Check>
        </>
    );
}

function Broker({ draft, set, stored }: PartProps) {
    return (
        <>
            <TextField label={t.sinks.host} required value={draft.host} onValue={host => set({ host })} />
            <TextField
                label={t.sinks.port}
                hint={t.sinks.portHint}
                type="number"
                min={1}
                max={65535}
                value={draft.port}
                onValue={port => set({ port })}
            />
            <Check checked={draft.tls} onChecked={tls => set({ tls })}>
                {t.sinks.tls}
            </Check>
            <TextField label={t.sinks.user} maxLength={256} value={draft.user} onValue={user => set({ user })} />
            <TextField
                label={t.sinks.password}
                hint={stored?.mqtt?.hasPassword ? t.sinks.passwordStays : undefined}
                type="password"
                autocomplete="new-password"
                maxLength={1024}
                value={draft.password}
                onValue={password => set({ password })}
            />
            <Check checked={draft.sparkplug} onChecked={sparkplug => set({ sparkplug })}>
                {t.sinks.sparkplug}
            </Check>
            {draft.sparkplug ? (
                <TextField
                    label={t.sinks.group}
                    hint={t.sinks.groupHint}
                    required
                    maxLength={128}
                    value={draft.group}
                    onValue={group => set({ group })}
                />
            ) : (
                <>
                    <TextField
                        label={t.sinks.topic}
                        hint={t.sinks.topicHint}
                        required
                        maxLength={512}
                        value={draft.topic}
                        onValue={topic => set({ topic })}
                    />
                    <Field label={t.sinks.qos}>
                        {ids => (
                            <select {...ids} value={draft.qos} onChange={event => set({ qos: event.currentTarget.value })}>
                                {t.sinks.qosLevels.map((text, level) => (
                                    <option key={level} value={level}>
                                        {text}
                                    </option>
                                ))}
                            </select>
                        )}
                    </Field>
                    <Check checked={draft.retain} onChecked={retain => set({ retain })}>
                        {t.sinks.retain}
                    </Check>
                </>
            )}
        </>
    );
}

function Folder({ draft, set, stored }: PartProps) {
    return (
        <>
            <p class="muted">{stored?.folder?.path ?? t.sinks.folderWhere}</p>
            <Check checked={draft.images} onChecked={images => set({ images })}>
                {t.sinks.images}
            </Check>
            <TextField
                label={t.sinks.keepDays}
                hint={t.sinks.keepDaysHint}
                type="number"
                min={1}
                max={36500}
                value={draft.keepDays}
                onValue={keepDays => set({ keepDays })}
            />
        </>
    );
}
