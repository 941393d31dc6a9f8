import { useEffect, useRef } from 'preact/hooks';
import { Store } from './store';

const NAME = 'padim-shortcuts';

/** Whether single letters do something. Who speaks to the computer turns them off. */
export const shortcutsOn = new Store<boolean>(read());
shortcutsOn.watch(on => {
    try {
        localStorage.setItem(NAME, on ? 'on' : 'off');
    } catch {
        // A browser that keeps nothing has them on again next time.
    }
});

/** Calls what a key stands for, unless somebody types a text, uses another control's keys, or a dialog is open. */
export function useShortcuts(actions: Record<string, () => void>): void {
    const current = useRef(actions);
    current.current = actions;
    useEffect(() => {
        const press = (event: KeyboardEvent) => {
            if (!shortcutsOn.value || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
            const at = event.target as Element | null;
            if (at?.closest('input:not([type=checkbox]), select, textarea') || document.querySelector('dialog[open]'))
                return;
            const action = current.current[event.key.toLowerCase()];
            if (!action) return;
            event.preventDefault();
            action();
        };
        addEventListener('keydown', press);
        return () => removeEventListener('keydown', press);
    }, []);
}

function read(): boolean {
    try {
        return localStorage.getItem(NAME) !== 'off';
    } catch {
        return true;
    }
}
