import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';
const NAME = 'padim-theme';

export const theme = new Store<Theme>(read());
theme.watch(apply);

export function applyTheme(): void {
    apply(theme.value);
}

export function toggleTheme(): void {
    const dark =
        theme.value === 'dark' || (theme.value === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
    theme.set(dark ? 'light' : 'dark');
}

function apply(value: Theme): void {
    if (value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    try {
        localStorage.setItem(NAME, value);
    } catch {
        // A browser that keeps nothing asks its system again.
    }
}

function read(): Theme {
    try {
        const kept = localStorage.getItem(NAME);
        return kept === 'light' || kept === 'dark' ? kept : 'system';
    } catch {
        return 'system';
    }
}
