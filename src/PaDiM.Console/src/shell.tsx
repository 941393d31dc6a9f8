import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { Button } from './components/basics';
import { Icon, type IconName } from './components/icons';
import { address } from './data/address';
import { connected } from './data/connection';
import { dismiss, notices, notifyFailure } from './data/notices';
import { useCategories } from './data/queries';
import { signOut, useRights, useSession } from './data/session';
import { useStore } from './data/store';
import { toggleTheme } from './data/theme';
import { t } from './texts';

/** The frame of all pages: navigation, what has happened, and whether the service answers. */
export function Shell({ children }: { children: ComponentChildren }) {
    const [open, setOpen] = useState(false);
    const [path] = useLocation();
    const main = useRef<HTMLElement>(null);
    const first = useRef(true);
    useEffect(() => {
        setOpen(false);
        // Whoever listens to the page instead of looking at it hears that it has changed.
        if (first.current) first.current = false;
        else main.current?.focus({ preventScroll: true });
        scrollTo(0, 0);
    }, [path]);
    return (
        <div class={open ? 'shell open' : 'shell'}>
            <a class="skip" href="#main" onClick={event => skip(event, main.current)}>
                {t.skip}
            </a>
            <header class="topbar">
                <Button kind="quiet" icon="menu" label={t.nav.menu} pressed={open} onClick={() => setOpen(!open)} />
                <Link href="/console" class="brand">
                    <Mark /> {t.app}
                </Link>
            </header>
            <Navigation path={path} />
            <div class="scrim" onClick={() => setOpen(false)} />
            <main id="main" ref={main} tabIndex={-1}>
                <Connection />
                {children}
            </main>
            <Notices />
        </div>
    );
}

function skip(event: Event, main: HTMLElement | null): void {
    // The address stays: it would be relative to the base.
    event.preventDefault();
    main?.focus();
}

function Navigation({ path }: { path: string }) {
    const { data: categories } = useCategories();
    const { data: session } = useSession();
    const { may } = useRights();
    return (
        <nav class="sidebar" aria-label={t.nav.label}>
            <Link href="/console" class="brand">
                <Mark /> {t.app}
            </Link>
            <NavLink href="/console" icon="grid" current={path === '/' || path === '/console'}>
                {t.nav.all}
            </NavLink>
            {may('train') && (
                <NavLink href="/console/jobs" icon="jobs" current={path === '/console/jobs'}>
                    {t.nav.jobs}
                </NavLink>
            )}
            <NavLink href="/console/system" icon="system" current={path === '/console/system'}>
                {t.nav.system}
            </NavLink>
            {categories && categories.length > 0 && (
                <>
                    <h2 class="nav-heading">{t.nav.categories}</h2>
                    <ul class="nav-list">
                        {categories.map(category => (
                            <li key={category.name}>
                                <NavLink
                                    href={`/console/c/${category.name}`}
                                    current={`${path}/`.startsWith(`/console/c/${category.name}/`)}
                                >
                                    <span class={category.activeModelVersion ? 'dot ready' : 'dot'} />
                                    <span class="ellipsis">{category.name}</span>
                                </NavLink>
                            </li>
                        ))}
                    </ul>
                </>
            )}
            <div class="sidebar-foot">
                <a class="nav-link" href={address('swagger')}>
                    <Icon name="book" /> {t.nav.api}
                </a>
                <button type="button" class="nav-link" onClick={toggleTheme}>
                    <Icon name="theme" /> {t.nav.theme}
                </button>
                {session?.name && session.scope && (
                    <>
                        <p class="who ellipsis">{t.session.as(session.name, t.session.scopes[session.scope])}</p>
                        {session.canSignOut && (
                            <button type="button" class="nav-link" onClick={() => void signOut().catch(notifyFailure)}>
                                <Icon name="out" /> {t.session.out}
                            </button>
                        )}
                    </>
                )}
            </div>
        </nav>
    );
}

function NavLink(props: { href: string; icon?: IconName; current: boolean; children: ComponentChildren }) {
    return (
        <Link href={props.href} class="nav-link" aria-current={props.current ? 'page' : undefined}>
            {props.icon && <Icon name={props.icon} />}
            {props.children}
        </Link>
    );
}

function Connection() {
    const is = useStore(connected);
    return (
        <div class="connection" role="status" aria-live="assertive">
            {!is && (
                <p class="banner bad">
                    <Icon name="warn" /> {t.connection.lost}
                </p>
            )}
        </div>
    );
}

function Notices() {
    const all = useStore(notices);
    return (
        <div class="notices" role="status" aria-live="polite">
            {all.map(notice => (
                <div key={notice.id} class={`notice ${notice.kind}`}>
                    <Icon name={notice.kind === 'done' ? 'check' : 'warn'} />
                    <span>{notice.text}</span>
                    {notice.action && (
                        <Button
                            kind="quiet"
                            onClick={() => {
                                notice.action?.run();
                                dismiss(notice.id);
                            }}
                        >
                            {notice.action.label}
                        </Button>
                    )}
                    <Button kind="quiet" icon="close" label={t.close} onClick={() => dismiss(notice.id)} />
                </div>
            ))}
        </div>
    );
}

export function Mark() {
    return (
        <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="7" />
            <circle class="ring" cx="15" cy="15" r="8" />
            <circle class="spot" cx="17.6" cy="13" r="2.4" />
            <path class="grip" d="m21 21 5 5" />
        </svg>
    );
}
