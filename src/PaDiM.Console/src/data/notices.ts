import { Store } from './store';

export interface Notice {
    id: number;
    text: string;
    kind: 'done' | 'refused';
    action?: { label: string; run: () => void };
}

const LIFE_MS = 8000;
let next = 0;

/** What has just happened, for a few seconds. */
export const notices = new Store<readonly Notice[]>([]);

export function notify(text: string, kind: Notice['kind'] = 'done', action?: Notice['action']): void {
    const notice: Notice = { id: ++next, text, kind, ...(action ? { action } : {}) };
    notices.set([...notices.value.slice(-2), notice]);
    if (kind === 'done') setTimeout(() => dismiss(notice.id), LIFE_MS);
}

export function dismiss(id: number): void {
    notices.set(notices.value.filter(notice => notice.id !== id));
}

/** Says why something failed. A lost connection is said elsewhere. */
export function notifyFailure(error: unknown): void {
    if (error instanceof TypeError) return;
    notify(error instanceof Error ? error.message : String(error), 'refused');
}
