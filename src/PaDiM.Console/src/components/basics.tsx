import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../texts';
import { Refusal } from '../data/api';
import { Icon, type IconName } from './icons';

interface ButtonProps {
    kind?: 'primary' | 'plain' | 'quiet' | 'danger';
    icon?: IconName;
    large?: boolean;
    /** What it does, where only the icon is seen. */
    label?: string;
    busy?: boolean;
    disabled?: boolean;
    pressed?: boolean;
    /** The key that does the same, if one does. */
    keys?: string | undefined;
    type?: 'button' | 'submit';
    onClick?: (event: JSX.TargetedMouseEvent<HTMLButtonElement>) => void;
    children?: ComponentChildren;
    class?: string;
}

export function Button({ kind = 'plain', icon, large, label, busy, disabled, pressed, keys, type, ...rest }: ButtonProps) {
    return (
        <button
            type={type ?? 'button'}
            class={`button ${kind} ${large ? 'large' : ''} ${rest.children ? '' : 'bare'} ${rest.class ?? ''}`}
            aria-label={label}
            title={rest.children ? undefined : label}
            aria-pressed={pressed}
            aria-busy={busy}
            aria-keyshortcuts={keys}
            disabled={disabled || busy}
            onClick={rest.onClick}
        >
            {icon && <Icon name={icon} />}
            {rest.children && <span>{rest.children}</span>}
            {keys && <kbd aria-hidden="true">{keys}</kbd>}
        </button>
    );
}

export type Tone = 'good' | 'review' | 'bad' | 'busy' | 'calm';

const toneIcon: Partial<Record<Tone, IconName>> = { good: 'good', review: 'review', bad: 'bad', busy: 'jobs' };

export function Badge({ tone = 'calm', children }: { tone?: Tone; children: ComponentChildren }) {
    const icon = toneIcon[tone];
    return (
        <span class={`badge ${tone}`}>
            {icon && <Icon name={icon} size={16} />}
            {children}
        </span>
    );
}

export function Field(props: {
    label: string;
    hint?: string | undefined;
    error?: string | undefined;
    children: (ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean }) => ComponentChildren;
}) {
    const id = useId();
    const note = props.error ?? props.hint;
    return (
        <div class="field">
            <label for={id}>{props.label}</label>
            {props.children({
                id,
                'aria-describedby': note ? `${id}-note` : undefined,
                'aria-invalid': props.error !== undefined,
            })}
            {note && (
                <p id={`${id}-note`} class={props.error ? 'note error' : 'note'}>
                    {note}
                </p>
            )}
        </div>
    );
}

/** A modal dialog: the browser's own, which keeps the focus and closes by Escape. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
    const dialog = useRef<HTMLDialogElement>(null);
    const title = useId();
    useEffect(() => {
        const opened = dialog.current;
        if (opened && !opened.open) opened.showModal();
        return () => opened?.close();
    }, []);
    return (
        <dialog
            ref={dialog}
            class={props.wide ? 'wide' : ''}
            aria-labelledby={title}
            onCancel={event => {
                event.preventDefault();
                props.onClose();
            }}
            onClick={event => event.target === dialog.current && props.onClose()}
        >
            <div class="dialog-body">
                <header>
                    <h2 id={title}>{props.title}</h2>
                    <Button kind="quiet" icon="close" label={t.close} onClick={props.onClose} />
                </header>
                {props.children}
            </div>
        </dialog>
    );
}

export function Progress({ value, label }: { value: number | undefined; label: string }) {
    return (
        <progress class="progress" max={1} value={value} aria-label={label}>
            {value === undefined ? '' : `${Math.round(value * 100)} %`}
        </progress>
    );
}

export function Empty(props: {
    title: string;
    detail?: string;
    icon?: IconName;
    /** Whether the page has nothing else, and this is its heading. */
    whole?: boolean;
    children?: ComponentChildren;
}) {
    const Heading = props.whole ? 'h1' : 'h2';
    return (
        <div class="empty">
            {props.icon && <Icon name={props.icon} size={40} />}
            <Heading>{props.title}</Heading>
            {props.detail && <p>{props.detail}</p>}
            {props.children}
        </div>
    );
}

/** What a query answers: its content, that it loads, or why it failed. */
export function Loaded<T>(props: {
    query: { data: T | undefined; error: Error | null; isPending: boolean; refetch: () => unknown };
    children: (data: T) => ComponentChildren;
}) {
    const { data, error } = props.query;
    if (data !== undefined) return <>{props.children(data)}</>;
    if (error) {
        const lacking = error instanceof Refusal && error.status === 403;
        return (
            <Empty title={lacking ? t.session.forbidden : t.failed} detail={error.message} icon="warn">
                {!lacking && <Button onClick={() => void props.query.refetch()}>{t.retry}</Button>}
            </Empty>
        );
    }
    return (
        <div class="loading" role="status">
            <span class="visually-hidden">{t.loading}</span>
        </div>
    );
}

export function Panel(props: { title?: string; actions?: ComponentChildren; children: ComponentChildren; class?: string }) {
    return (
        <section class={`panel ${props.class ?? ''}`}>
            {(props.title || props.actions) && (
                <header>
                    {props.title && <h2>{props.title}</h2>}
                    {props.actions && <div class="row">{props.actions}</div>}
                </header>
            )}
            {props.children}
        </section>
    );
}

/** A table that scrolls by itself where the screen is narrow, by keyboard too. */
export function Table(props: { label: string; head: ComponentChildren[]; children: ComponentChildren }) {
    return (
        <div class="table" role="region" aria-label={props.label} tabIndex={0}>
            <table>
                <thead>
                    <tr>
                        {props.head.map((cell, i) => (
                            <th key={i} scope="col">
                                {cell}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>{props.children}</tbody>
            </table>
        </div>
    );
}
