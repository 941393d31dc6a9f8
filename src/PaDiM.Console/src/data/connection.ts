import { Store } from './store';
import { address } from './address';

/** How often a lost service is asked whether it is back. */
const PROBE_MS = 2000;

/** Whether the service answers. */
export const connected = new Store(true);
let probing = false;

/** Calls the service, and notices whether it answers at all. */
export async function reach(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    try {
        const response = await fetch(input, init);
        connected.set(true);
        return response;
    } catch (error) {
        if (error instanceof TypeError) lose();
        throw error;
    }
}

addEventListener('offline', lose);

function lose(): void {
    connected.set(false);
    if (probing) return;
    probing = true;
    const timer = setInterval(async () => {
        try {
            await fetch(address('health/live'), { cache: 'no-store' });
            clearInterval(timer);
            probing = false;
            connected.set(true);
        } catch {
            // Asked again in a moment.
        }
    }, PROBE_MS);
}
