import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { readDrop, sort, type Picked } from '../data/files';
import { notifyFailure } from '../data/notices';

/** Takes files that are dropped anywhere on it. What it holds offers other ways to the same. */
export function DropZone(props: {
    onFiles: (picked: Picked) => void;
    class?: string;
    label: string;
    children: ComponentChildren;
}) {
    const [over, setOver] = useState(false);
    return (
        <div
            class={`drop-zone ${over ? 'over' : ''} ${props.class ?? ''}`}
            role="group"
            aria-label={props.label}
            onDragOver={event => {
                event.preventDefault();
                setOver(true);
            }}
            onDragLeave={event => {
                if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
            }}
            onDrop={event => {
                event.preventDefault();
                setOver(false);
                if (event.dataTransfer) readDrop(event.dataTransfer).then(props.onFiles, notifyFailure);
            }}
        >
            {props.children}
        </div>
    );
}

const accepted = { many: 'image/*,.bmp,.tif,.tiff,.pgm,.ppm', folder: undefined, model: '.safetensors' };

/** Opens the browser's dialog for files or a folder. */
export function useFilePicker(onFiles: (picked: Picked) => void, kind: 'many' | 'folder' | 'model') {
    const input = useRef<HTMLInputElement>(null);
    const element = (
        <input
            ref={input}
            type="file"
            class="visually-hidden"
            tabIndex={-1}
            aria-hidden="true"
            multiple={kind !== 'model'}
            accept={accepted[kind]}
            {...(kind === 'folder' ? { webkitdirectory: true } : {})}
            onChange={event => {
                const files = [...(event.currentTarget.files ?? [])];
                event.currentTarget.value = '';
                if (files.length > 0) onFiles(kind === 'model' ? { images: files, skipped: 0 } : sort(files));
            }}
        />
    );
    return { element, open: () => input.current?.click() };
}
