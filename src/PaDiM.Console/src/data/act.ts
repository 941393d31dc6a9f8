import { notify, notifyFailure, type Notice } from './notices';
import { queries } from './queries';

/** Waits for a change, says that it is done or why not, and reads everything again. */
export async function act(change: Promise<unknown>, done: string, action?: Notice['action']): Promise<void> {
    try {
        await change;
        notify(done, 'done', action);
    } catch (error) {
        notifyFailure(error);
    }
    await queries.invalidateQueries();
}
