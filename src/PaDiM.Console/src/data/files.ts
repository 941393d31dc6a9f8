const IMAGES = /\.(png|jpe?g|bmp|tiff?|webp|pgm|ppm|pnm)$/i;

export interface Picked {
    images: File[];
    skipped: number;
}

export function sort(files: Iterable<File>): Picked {
    const all = [...files];
    const images = all.filter(file => IMAGES.test(file.name) || (!file.name.includes('.') && isImage(file)));
    images.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    return { images, skipped: all.length - images.length };
}

/** Gets all files that were dropped, those in folders too. */
export async function readDrop(transfer: DataTransfer): Promise<Picked> {
    // Entries are gone once the event is over: they are taken before anything is awaited.
    const entries = [...transfer.items].map(item => item.webkitGetAsEntry());
    if (entries.every(entry => entry === null)) return sort(transfer.files);
    const files: File[] = [];
    for (const entry of entries) if (entry) await collect(entry, files);
    return sort(files);
}

async function collect(entry: FileSystemEntry, into: File[]): Promise<void> {
    if (entry.isFile) {
        into.push(await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed)));
        return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
        // A reader gives a hundred entries at a time, and none at the end.
        const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
        if (some.length === 0) return;
        for (const one of some) await collect(one, into);
    }
}

function isImage(file: File): boolean {
    return file.type.startsWith('image/');
}
