import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { Icon, type IconName } from './icons';

/** A link that looks like a button. */
export function LinkButton(props: {
    href: string;
    kind?: 'primary' | 'plain';
    icon?: IconName;
    large?: boolean;
    children: ComponentChildren;
}) {
    return (
        <Link href={props.href} class={`button ${props.kind ?? 'plain'} ${props.large ? 'large' : ''}`}>
            {props.icon && <Icon name={props.icon} />}
            <span>{props.children}</span>
        </Link>
    );
}
