import type { ComponentChildren, JSX } from 'preact';
import { Field } from './basics';

/** One line of text with its label. */
export function TextField({
    label,
    hint,
    error,
    value,
    onValue,
    ...rest
}: {
    label: string;
    hint?: string | undefined;
    error?: string | undefined;
    value: string;
    onValue: (value: string) => void;
} & Pick<
    JSX.InputHTMLAttributes<HTMLInputElement>,
    'type' | 'inputMode' | 'required' | 'readOnly' | 'maxLength' | 'min' | 'max' | 'placeholder' | 'autocomplete'
>) {
    return (
        <Field label={label} hint={hint} error={error}>
            {ids => (
                <input
                    {...ids}
                    type="text"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck={false}
                    {...rest}
                    value={value}
                    onInput={event => onValue(event.currentTarget.value)}
                />
            )}
        </Field>
    );
}

export function Check(props: { checked: boolean; onChecked: (checked: boolean) => void; children: ComponentChildren }) {
    return (
        <label class="check">
            <input
                type="checkbox"
                checked={props.checked}
                onChange={event => props.onChecked(event.currentTarget.checked)}
            />
            {props.children}
        </label>
    );
}

/** One of several, each with what it means. */
export function Choices<T extends string>(props: {
    legend: string;
    name: string;
    options: Record<T, readonly string[]>;
    chosen: T;
    onChosen: (choice: T) => void;
}) {
    return (
        <fieldset class="choices">
            <legend>{props.legend}</legend>
            {(Object.keys(props.options) as T[]).map(choice => (
                <label key={choice} class="choice">
                    <input
                        type="radio"
                        name={props.name}
                        checked={props.chosen === choice}
                        onChange={() => props.onChosen(choice)}
                    />
                    <span>
                        <strong>{props.options[choice][0]}</strong>
                        <small>{props.options[choice][1]}</small>
                    </span>
                </label>
            ))}
        </fieldset>
    );
}
