import type { ImageLabel, RejectedFile, UploadResponse } from './api';
import { Refusal, send } from './api';
import { queries } from './queries';
import { Store } from './store';

/** Requests at a time. The service decodes them one after the other on few cores; more would only wait there. */
const LANES = 3,
    FILES_PER_REQUEST = 16,
    BYTES_PER_REQUEST = 24 << 20,
    RETRY_MS = 2500,
    RATE_WINDOW_MS = 5000;

export interface Target {
    label: ImageLabel;
    defect: string;
    heldOut: boolean;
}

export interface UploadState {
    all: number;
    done: number;
    added: number;
    duplicates: number;
    rejected: readonly RejectedFile[];
    /** Files that are no images by their name, and were not sent. */
    skipped: number;
    paused: boolean;
    waiting: boolean;
    running: boolean;
    perSecond: number;
}

const idle: UploadState = {
    all: 0,
    done: 0,
    added: 0,
    duplicates: 0,
    rejected: [],
    skipped: 0,
    paused: false,
    waiting: false,
    running: false,
    perSecond: 0,
};

interface Waiting {
    file: File;
    target: Target;
}

/** Sends the images of a category, a few requests at a time. It goes on while its user looks at other pages. */
export class UploadQueue {
    readonly state = new Store<UploadState>(idle);
    readonly #category: string;
    #waiting: Waiting[] = [];
    #lanes = 0;
    #stamps: { at: number; files: number }[] = [];

    constructor(category: string) {
        this.#category = category;
    }

    add(files: readonly File[], target: Target, skipped = 0): void {
        if (!this.state.value.running) this.state.set(idle);
        this.#waiting.push(...files.map(file => ({ file, target })));
        this.#set({
            all: this.state.value.all + files.length,
            skipped: this.state.value.skipped + skipped,
            running: files.length > 0 || this.state.value.running,
        });
        this.#fill();
    }

    pause(): void {
        this.#set({ paused: true });
    }

    resume(): void {
        this.#set({ paused: false });
        this.#fill();
    }

    /** Sends nothing more. What has been sent stays. */
    stop(): void {
        this.#set({ all: this.state.value.all - this.#waiting.length, paused: false });
        this.#waiting = [];
        if (this.#lanes === 0) this.#finish();
    }

    clear(): void {
        if (!this.state.value.running) this.state.set(idle);
    }

    #fill(): void {
        while (this.#lanes < LANES && this.#waiting.length > 0 && !this.state.value.paused) {
            this.#lanes++;
            void this.#work();
        }
    }

    async #work(): Promise<void> {
        while (this.#waiting.length > 0 && !this.state.value.paused) await this.#sendBatch(this.#take());
        this.#lanes--;
        if (this.#lanes === 0 && this.#waiting.length === 0) this.#finish();
    }

    /** The next files that go to the same place and fit into one request. */
    #take(): Waiting[] {
        const batch = [this.#waiting.shift()!];
        let bytes = batch[0]!.file.size;
        for (;;) {
            const next = this.#waiting[0];
            if (
                !next ||
                batch.length === FILES_PER_REQUEST ||
                next.target !== batch[0]!.target ||
                bytes + next.file.size > BYTES_PER_REQUEST
            )
                return batch;
            bytes += next.file.size;
            batch.push(this.#waiting.shift()!);
        }
    }

    async #sendBatch(batch: Waiting[]): Promise<void> {
        const { label, defect, heldOut } = batch[0]!.target;
        const query = new URLSearchParams({ label });
        if (label === 'anomalous' && defect) query.set('defect', defect);
        if (label === 'normal' && heldOut) query.set('heldOut', 'true');
        const form = new FormData();
        for (const { file } of batch) form.append('files', file, file.name);
        try {
            const answer = await send<UploadResponse>(`v1/categories/${this.#category}/images?${query}`, form);
            const duplicates = answer.accepted.filter(image => image.duplicate).length;
            this.#count(batch.length, answer.accepted.length - duplicates, duplicates, answer.rejected);
        } catch (error) {
            if (error instanceof Refusal && !isBusy(error)) {
                const rejected =
                    error.problem.errors ??
                    batch.map(({ file }) => ({ fileName: file.name, code: error.code, detail: error.message }));
                this.#count(batch.length, 0, 0, rejected);
                return;
            }
            // Nothing is lost: the same picture is stored once, however often it is sent.
            this.#waiting.unshift(...batch);
            this.#set({ waiting: true });
            await new Promise(resolve => setTimeout(resolve, RETRY_MS));
        }
    }

    #count(files: number, added: number, duplicates: number, rejected: readonly RejectedFile[]): void {
        const now = performance.now();
        this.#stamps = [...this.#stamps.filter(stamp => now - stamp.at < RATE_WINDOW_MS), { at: now, files }];
        const span = (now - this.#stamps[0]!.at) / 1000;
        const recent = this.#stamps.slice(1).reduce((sum, stamp) => sum + stamp.files, 0);
        const is = this.state.value;
        this.#set({
            done: is.done + files,
            added: is.added + added,
            duplicates: is.duplicates + duplicates,
            rejected: rejected.length > 0 ? [...is.rejected, ...rejected] : is.rejected,
            waiting: false,
            perSecond: span > 0.5 ? recent / span : 0,
        });
    }

    #finish(): void {
        this.#set({ running: false, waiting: false });
        for (const key of ['categories', 'category', 'images', 'cover'])
            void queries.invalidateQueries({ queryKey: key === 'categories' ? [key] : [key, this.#category] });
    }

    #set(change: Partial<UploadState>): void {
        this.state.set({ ...this.state.value, ...change });
    }
}

function isBusy(refusal: Refusal): boolean {
    return refusal.status === 429 || refusal.status === 503;
}

const queuesByCategory = new Map<string, UploadQueue>();

export function uploadsOf(category: string): UploadQueue {
    const queue = queuesByCategory.get(category) ?? new UploadQueue(category);
    queuesByCategory.set(category, queue);
    return queue;
}
